"""Topics that an application keeps for itself, recognised as one thing with their application.

Owns how Kafka Streams, ksqlDB, Connect, MirrorMaker 2 and a schema registry name theirs, and what
moving them means. Such topics are worth nothing apart: they move together or not at all. Pure.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kferry.names import TopicName
from kferry.plans import Action, Item
from kferry.topics.facts import TopicFacts
from kferry.units import many


class ApplicationKind(StrEnum):
    """Who keeps topics of its own."""

    STREAMS = "Kafka Streams"
    KSQL = "ksqlDB"
    CONNECT = "Kafka Connect"
    MIRROR = "MirrorMaker 2"
    REGISTRY = "schema registry"


MOVING: Mapping[ApplicationKind, str] = {
    ApplicationKind.STREAMS: "stop it, copy these topics to their end, delete its local state "
    "(it remembers offsets of the source), then start it on the target",
    ApplicationKind.KSQL: "stop the servers, copy these topics to their end, delete their local "
    "state (it remembers offsets of the source), then start them on the target",
    ApplicationKind.CONNECT: "stop the workers, copy these topics to their end, then start the "
    "workers on the target; connectors that name the source in their own settings still do",
    ApplicationKind.MIRROR: "they tell where MirrorMaker 2 stands between two clusters, which is "
    "true of these two only",
    ApplicationKind.REGISTRY: "let nobody register schemas, copy the topic to its end, then start "
    "a registry on it: ids stay as they are, and records refer to them",
}

_STREAMS_SUFFIX = re.compile(r"-(changelog|repartition)")
_STREAMS_NAME = re.compile(
    r"(?P<app>.+?)-(?:KSTREAM|KTABLE|GLOBALKTABLE)-.+-(?:changelog|repartition|topic)"
)
"""The names that Streams makes up; those that a program gives say nothing about their length."""
_KSQL = re.compile(
    r"(?P<service>_confluent-ksql-.+?)_*(?:(?:query|transient)_.+-(?:changelog|repartition|topic)"
    r"|command_topic)"
)
_ROLES = ("config", "offset", "status")
_ROLE = re.compile(r"(?<![a-z])(config|offset|status)s?(?![a-z])(?:[._-](?:storage|topic)s?)*")
_MIRROR = re.compile(r"mm2[.-].+\.internal|.+\.checkpoints\.internal|(?:.+\.)?heartbeats")
_REGISTRY = re.compile(r"_schemas(?:[._-].+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application and the topics it keeps for itself."""

    kind: ApplicationKind
    name: str
    topics: tuple[TopicName, ...]
    sure: bool = True
    """False: the names look like it, and nothing else says so."""

    @property
    def title(self) -> str:
        """Name it for people."""
        return str(self.kind) if self.name == self.kind else f"{self.kind} {self.name}"


def applications(
    topics: Iterable[TopicFacts], groups: Collection[str] = ()
) -> tuple[Application, ...]:
    """Recognise applications by all topics of a cluster, and by the groups it shows."""
    known = {one.name: one for one in topics if not one.internal}
    found = [
        *_connect(known),
        *_alone(known, _MIRROR, ApplicationKind.MIRROR),
        *_alone(known, _REGISTRY, ApplicationKind.REGISTRY),
    ]
    taken = {name for one in found for name in one.topics}
    left = {name: one for name, one in known.items() if name not in taken}
    found += _streams(left, groups)
    return tuple(sorted(found, key=lambda one: (one.kind, one.name)))


def application_items(
    found: Sequence[Application], selected: Collection[TopicName]
) -> tuple[Item, ...]:
    """Tell what becomes of each: as a whole, left behind, or a decision where it would be torn."""
    items = [_item(one, set(selected)) for one in found]
    # Two applications may have the same name; no two items have.
    called = Counter(one.name for one in items)
    return tuple(
        replace(item, name=f"{one.title} ({one.topics[0]})") if called[item.name] > 1 else item
        for item, one in zip(items, found, strict=True)
    )


def _item(one: Application, selected: Collection[TopicName]) -> Item:
    chosen = [name for name in one.topics if name in selected]
    left = [name for name in one.topics if name not in selected]
    looks = "" if one.sure else "by their names; if they are something else, this means nothing: "
    details = (f"{looks}{MOVING[one.kind]}", *(f"topic {name}" for name in one.topics))
    if not chosen:
        return Item(
            action=Action.LEFT_BEHIND,
            kind="application",
            name=one.name,
            reason=f"{one.title}: none of its {many(len(one.topics), 'topic')} is chosen",
            details=details,
        )
    if left and one.sure:
        return Item(
            action=Action.CONFLICT,
            kind="application",
            name=one.name,
            reason=f"{one.title} would be torn: {', '.join(left)} would stay behind; "
            "include them, or exclude the others",
            details=details,
        )
    return Item(
        action=Action.SAME,
        kind="application",
        name=one.name,
        reason=f"{one.title}: {len(chosen)} of its {many(len(one.topics), 'topic')} move as "
        "records, and it moves by hand",
        details=details,
    )


def _alone(
    known: Mapping[TopicName, TopicFacts], names: re.Pattern[str], kind: ApplicationKind
) -> Iterator[Application]:
    """Find what there is one of on a cluster."""
    mine = tuple(sorted(name for name in known if names.fullmatch(name)))
    # Heartbeats alone may be anybody's.
    if not all(name.endswith("heartbeats") for name in mine):
        yield Application(kind=kind, name=str(kind), topics=mine)


def _connect(known: Mapping[TopicName, TopicFacts]) -> Iterator[Application]:
    """Find three topics that differ in one word, compacted, that of the configs undivided."""
    families: dict[str, dict[str, TopicFacts]] = {}
    for name, facts in known.items():
        found = _ROLE.search(name)
        if found is not None and _compacted(facts):
            rest = f"{name[: found.start()]}*{name[found.end() :]}"
            families.setdefault(rest, {})[found[1]] = facts
    for rest, roles in families.items():
        if set(roles) < set(_ROLES) or len(roles["config"].partitions) != 1:
            continue
        if rest.startswith("mm2-"):
            continue  # MirrorMaker 2 is a Connect of its own
        cluster = rest.replace("*", "").strip("._-") or "connect"
        mine = tuple(sorted(one.name for one in roles.values()))
        yield Application(kind=ApplicationKind.CONNECT, name=cluster, topics=mine)


def _compacted(facts: TopicFacts) -> bool:
    return facts.cleanup_policy is None or "compact" in facts.cleanup_policy


def _streams(
    known: Mapping[TopicName, TopicFacts], groups: Collection[str]
) -> Iterator[Application]:
    """Find what belongs to a Streams application; its id is its group's, too."""
    owned: dict[tuple[ApplicationKind, str], list[TopicName]] = {}
    unsure: dict[str, list[TopicName]] = {}
    ids = set(groups) | {
        match["app"] for name in known if (match := _STREAMS_NAME.fullmatch(name)) is not None
    }
    for name, facts in known.items():
        ksql = _KSQL.fullmatch(name)
        if ksql is not None:
            owned.setdefault((ApplicationKind.KSQL, ksql["service"]), []).append(name)
            continue
        made_up = _STREAMS_NAME.fullmatch(name)
        suffix = _STREAMS_SUFFIX.search(name, len(name) - len("-repartition"))
        if made_up is None and (suffix is None or suffix.end() != len(name)):
            continue
        owner = max((one for one in ids if name.startswith(f"{one}-")), key=len, default=None)
        if owner is not None:
            owned.setdefault((ApplicationKind.STREAMS, owner), []).append(name)
        elif _compacted(facts) or name.endswith("-repartition"):
            unsure.setdefault(name.split("-")[0], []).append(name)
    for (kind, app), mine in owned.items():
        yield Application(kind=kind, name=app, topics=tuple(sorted(mine)))
    for app, mine in unsure.items():
        yield Application(
            kind=ApplicationKind.STREAMS, name=app, topics=tuple(sorted(mine)), sure=False
        )
