"""How a topic that is on the target already differs from what the source's would be there.

Owns the comparison. What kferry has suspended for the time of the copy is no difference: the topic
is compared as it will be. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kferry.admin.configs import Configs, Origin
from kferry.topics.copied_configs import THROTTLES, copied_configs
from kferry.topics.creation import BROKER_DEFAULT
from kferry.topics.facts import TopicFacts
from kferry.topics.inventory import set_on_topic
from kferry.topics.terms import AFTER_MAX, BEFORE_MAX, DIFFERENCE_MAX, TargetTerms
from kferry.wire import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A config that is not what it should be; None: it is not set."""

    name: str
    there: str | None
    wanted: str | None
    settable: bool
    """Whether it was set on the source, too: what only the target has set stays."""

    def __str__(self) -> str:
        """Say what would be done."""
        return f"{self.name}: {_shown(self.there)} → {_shown(self.wanted)}"

    @property
    def left(self) -> str:
        """Say that it stays."""
        if self.settable:
            return f"{self.name} is {_shown(self.there)}, the source's would be {self.wanted}"
        return f"{self.name}={self.there} is set on the target only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is not alike, with the target's number first."""

    partitions: tuple[int, int]
    replication: tuple[int, int | None]
    """None: whatever the target's default is."""
    settings: tuple[Setting, ...]

    @property
    def to_set(self) -> dict[str, str]:
        """What would have to be set."""
        return {
            one.name: one.wanted for one in self.settings if one.settable and one.wanted is not None
        }

    @property
    def missing_partitions(self) -> int:
        """How many partitions the target's topic lacks."""
        there, ours = self.partitions
        return max(ours - there, 0)


def as_it_will_be(configs: Configs, finish: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return what is set on a target's topic, with `finish` done to it."""
    own = {**set_on_topic(configs), **finish}
    return {name: value for name, value in own.items() if finish.get(name, "") is not None}


def difference(
    source: TopicFacts,
    there: Topic,
    *,
    theirs: Configs,
    own: Mapping[str, str | None],
    ours: Configs | None,
    terms: TargetTerms,
    replication: int | None,
) -> Difference:
    """Compare a topic with its counterpart.

    `source` is as wished, `own` is what will be set on the counterpart, `theirs` and `ours` are the
    configs in force. `replication` None is the source's.
    """
    copies = max((len(one.replicas) for one in there.partitions), default=0)
    wanted_copies = max(source.replication, 1) if replication is None else replication
    return Difference(
        partitions=(len(there.partitions), len(source.partitions)),
        replication=(
            copies,
            None if wanted_copies == BROKER_DEFAULT else min(wanted_copies, terms.brokers),
        ),
        settings=_settings(source, theirs, own, ours, terms, copies),
    )


def _settings(  # noqa: PLR0917 one caller
    source: TopicFacts,
    theirs: Configs,
    own: Mapping[str, str | None],
    ours: Configs | None,
    terms: TargetTerms,
    copies: int,
) -> tuple[Setting, ...]:
    if source.set_configs is None:
        return ()
    wanted, _ = copied_configs(source.set_configs, terms, replication=copies)
    found = [
        Setting(name=name, there=is_, wanted=value, settable=True)
        for name, value in sorted(wanted.items())
        if _plain(is_ := own.get(name) or _default(theirs, name, terms)) != _plain(value)
    ]
    found += [
        Setting(name=name, there=value, wanted=None, settable=False)
        for name, value in sorted(own.items())
        if name not in wanted and name not in THROTTLES and not _is_ours(name, value, ours)
    ]
    return tuple(found)


def _default(theirs: Configs, name: str, terms: TargetTerms) -> str | None:
    """Return what a topic has that has set nothing itself."""
    one = theirs.get(name)
    if one is not None and one.origin not in {Origin.TOPIC, Origin.UNKNOWN}:
        return one.value
    return terms.default(name)


def _is_ours(name: str, value: str | None, ours: Configs | None) -> bool:
    """Whether the source has just this in force, set or not; what it does not tell may be alike."""
    if ours is None:
        return True
    one = ours.get(name)
    if one is None and name in {BEFORE_MAX, AFTER_MAX}:
        one = ours.get(DIFFERENCE_MAX)
    return one is not None and _plain(one.value) == _plain(value)


def _plain(value: str | None) -> str | None:
    """Leave out what brokers leave out of lists."""
    return None if value is None else value.replace(" ", "")


def _shown(value: str | None) -> str:
    return "not set" if value is None else value
