"""Which topic of the source becomes which topic of the target.

Owns what names can be. Pure; whether a topic is there is for others to find out.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kferry.names import TopicName
from kferry.topics.errors import BadTopicName
from kferry.topics.facts import TopicFacts

_LONGEST = 249
_LEGAL = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPair:
    """A topic of the source, and its name on the target."""

    source: TopicFacts
    target: TopicName


def pair_topics(
    topics: Iterable[TopicFacts],
    mapping: Mapping[str, str],
    *,
    existing: Collection[TopicName] = (),
) -> list[TopicPair]:
    """Name each topic's counterpart; `mapping` holds those that are called otherwise there.

    `existing` are the names that the target has already. All that is wrong is said at once.
    """
    pairs = [
        TopicPair(source=one, target=TopicName(mapping.get(one.name, one.name))) for one in topics
    ]
    problems = [
        *(problem for one in pairs if (problem := _illegal(one.target))),
        *_taken_twice(pairs),
        *_alike(pairs, existing),
    ]
    if problems:
        raise BadTopicName(
            "topics cannot have these names on the target",
            "; ".join(problems),
            hint="map them to other names, or leave some out",
        )
    return pairs


def _illegal(name: TopicName) -> str | None:
    if len(name) > _LONGEST:
        return f"{name} has {len(name)} characters, and {_LONGEST} are the most"
    if name in {".", ".."} or not _LEGAL.fullmatch(name):
        return f"`{name}` is no topic name: letters, digits, `.`, `_` and `-` are"
    return None


def _taken_twice(pairs: list[TopicPair]) -> list[str]:
    sources: dict[TopicName, list[str]] = {}
    for one in pairs:
        sources.setdefault(one.target, []).append(one.source.name)
    return [
        f"{' and '.join(names)} would both be {target}"
        for target, names in sources.items()
        if len(names) > 1
    ]


def _alike(pairs: list[TopicPair], existing: Collection[TopicName]) -> list[str]:
    """Find what a broker refuses because names of metrics know no difference of `.` and `_`."""
    names = dict.fromkeys((*sorted(existing), *(one.target for one in pairs)))
    there = set(existing)
    met: dict[str, TopicName] = {}
    found = []
    for name in names:
        first = met.setdefault(name.replace(".", "_"), name)
        if first != name and name not in there:
            found.append(f"{name} and {first} differ in `.` and `_` only, which brokers refuse")
    return found
