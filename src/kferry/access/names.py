"""What rules are called on the target: topics by their new names, principals by theirs.

Owns which topics a rule is about, and what it must say to be about the same ones on the target.
Pure. A rule for many names stays one wherever that is no more than what was asked for; where it
would reach topics that were not chosen, it becomes rules for single ones: nobody gains a right.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from kferry.admin.acls import Acl
from kferry.admin.operations import Resource
from kferry.config import LEDGER_PREFIX, TopicSelection
from kferry.errors import ConfigError
from kferry.names import TopicName

LITERAL, PREFIXED = "literal", "prefixed"
EVERY = "*"
NOT_CHOSEN = "its topics were not chosen"
_MEANS_ALL = frozenset({"*", "/.*/", "/.+/"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which topics of the source are meant, and what they are called on the target."""

    topics: tuple[TopicName, ...]
    """All that the source has, without internal ones; sorted."""
    selection: TopicSelection
    mapping: Mapping[TopicName, TopicName]
    _arriving: tuple[tuple[TopicName, TopicName], ...] = field(init=False, default=())
    """New name and old of each topic that is meant, sorted."""

    def __post_init__(self) -> None:
        """Look up the new names once for all rules."""
        found = []
        for topic in filter(self.means, self.topics):
            with suppress(ConfigError):  # whoever asks for this one is told
                found.append((self.called(topic), topic))
        object.__setattr__(self, "_arriving", tuple(sorted(found)))

    @property
    def everything(self) -> bool:
        """Whether no topics were singled out: then what is about no topic is meant, too."""
        return takes_everything(self.selection)

    def means(self, topic: TopicName) -> bool:
        """Whether a topic is meant, whether it is there already or not."""
        if topic.startswith(LEDGER_PREFIX):
            return False
        if self.everything and topic.startswith("__"):
            return True
        return self.selection.matches(topic, internal=False)

    def covered(self, rule: Acl) -> Sequence[TopicName]:
        """Return the topics that a rule is about."""
        if rule.name == EVERY:
            return self.topics
        first = bisect_left(self.topics, rule.name)
        end = first
        while end < len(self.topics) and covers(rule, self.topics[end]):
            end += 1
        return self.topics[first:end]

    def called(self, topic: TopicName) -> TopicName:
        """Return a topic's name on the target."""
        return self.mapping.get(topic, topic)

    def strangers(self, before: Acl, after: Acl) -> list[TopicName]:
        """Return the topics, as they are called, that a rule is about only on the target."""
        if after.name == EVERY:
            return []
        found = []
        for index in range(bisect_left(self._arriving, (after.name,)), len(self._arriving)):
            new, old = self._arriving[index]
            if not covers(after, new):
                break
            if not covers(before, old):
                found.append(new)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What becomes of a rule about topics: rules on the target, or none and why."""

    rules: tuple[Acl, ...] = ()
    note: str = ""
    left: str = ""


def takes_everything(selection: TopicSelection) -> bool:
    """Whether a selection singles no topics out; leaving some out does not."""
    if selection.within is not None and not takes_everything(selection.within):
        return False
    texts = {pattern.text for pattern in selection.patterns}
    return bool(texts & _MEANS_ALL) or not (texts or selection.exact)


def place(rule: Acl, scope: Scope) -> Placed:
    """Find what a rule about topics becomes."""
    if rule.name.startswith(LEDGER_PREFIX):
        return Placed(left="it is about kferry's own memory")
    try:
        return _place(rule, scope)
    except ConfigError as error:  # a pattern of new names gives one that no topic may have
        return Placed(left=str(error))


def _place(rule: Acl, scope: Scope) -> Placed:
    if rule.pattern == LITERAL and rule.name != EVERY:
        return _place_one(rule, scope)
    if rule.name == EVERY and scope.everything:
        return Placed(rules=(rule,))
    covered = scope.covered(rule)
    meant = [topic for topic in covered if scope.means(topic)]
    # The target has topics of its own: a rule for every name would be about them.
    alone = bool(meant) and len(meant) == len(covered) and rule.name != EVERY
    if not (alone or scope.everything):
        return singly(rule, scope)
    whole = _whole(rule, meant, scope)
    if rule.permission == "allow" and any(scope.strangers(rule, one) for one in whole.rules):
        return singly(rule, scope, why="which is about others, too, by their new names")
    return whole


def _place_one(rule: Acl, scope: Scope) -> Placed:
    topic = TopicName(rule.name)
    # Where rules for all names come along, so does what they do not allow.
    if not scope.means(topic) and not (scope.everything and rule.permission != "allow"):
        return Placed(left=NOT_CHOSEN)
    placed = _about(rule, scope.called(topic))
    if scope.strangers(rule, placed):
        return Placed(left=f"another topic is called {placed.name} on the target")
    return Placed(rules=(placed,))


def singly(rule: Acl, scope: Scope, *, why: str = "where others are, too") -> Placed:
    """Put rules for single topics in the place of one for many; topics to come are in none."""
    meant = [topic for topic in scope.covered(rule) if scope.means(topic)]
    if not meant:
        return Placed(left=NOT_CHOSEN)
    singles = tuple(_about(rule, scope.called(topic)) for topic in meant)
    return Placed(rules=singles, note=f"was for {spelled(rule)}, {why}")


def _whole(rule: Acl, meant: list[TopicName], scope: Scope) -> Placed:
    """Keep a rule for many names one; where renaming takes topics away from it, follow them."""
    if rule.name == EVERY:
        return Placed(rules=(rule,))
    # With no topic there yet, a pattern of new names still tells what becomes of those to come.
    called = {topic: scope.called(topic) for topic in meant or [TopicName(rule.name)]}
    moved = [new for new in called.values() if not covers(rule, new)]
    shift = _common_shift(called.items())
    if not moved or not (meant or shift):
        return Placed(rules=(rule,))
    if shift is not None:
        return Placed(
            rules=(replace(rule, name=shift + rule.name),),
            note=f"was for {spelled(rule)}: its topics are renamed alike",
        )
    # Those that keep their names, and those to come, are still meant by it as it is.
    return Placed(
        rules=(rule, *(_about(rule, new) for new in moved)),
        note=f"was for {spelled(rule)}, and some of its topics are renamed",
    )


def _common_shift(renamed: Iterable[tuple[TopicName, TopicName]]) -> str | None:
    """Return what was put before each of the names, if that is all that was done to them."""
    shifts = {
        new.removesuffix(old) if new.endswith(old) and new != old else "" for old, new in renamed
    }
    shift = shifts.pop() if len(shifts) == 1 else ""
    return shift or None


def spelled(rule: Acl) -> str:
    """Say which names a rule is about, as in `orders…`."""
    if rule.pattern == PREFIXED:
        return f"`{rule.name}…`"
    return "every name" if rule.name == EVERY else f"`{rule.name}`"


def covers(rule: Acl, topic: str) -> bool:
    """Whether a rule about topics is about this one."""
    if rule.pattern == PREFIXED:
        return topic.startswith(rule.name)
    return rule.name in {EVERY, topic}


def _about(rule: Acl, topic: TopicName) -> Acl:
    return replace(rule, name=topic, pattern=LITERAL)


def overlap(one: Acl, other: Acl) -> bool:
    """Whether two rules can be about the same thing, person and deed."""
    return (
        one.resource == other.resource
        and _names_meet(one, other)
        and (one.principal == other.principal or "User:*" in {one.principal, other.principal})
        and (one.host == other.host or EVERY in {one.host, other.host})
    )


def _names_meet(one: Acl, other: Acl) -> bool:
    if EVERY in {one.name, other.name}:
        return True
    first, second = sorted((one, other), key=lambda rule: len(rule.name))
    return first.name == second.name or (
        first.pattern == PREFIXED and second.name.startswith(first.name)
    )


def is_about_topics(rule: Acl) -> bool:
    """Whether a rule is about topics."""
    return rule.resource == Resource.TOPIC
