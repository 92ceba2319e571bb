"""A snapshot of positions as a file: JSON that says which cluster, when, and what is missing.

Owns the form and its version. Nothing read from it is believed unseen. Leader epochs are not in it:
no position is ever set with one. Pure.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from kferry.groups.position_file import BadPositions, FilePosition, checked_position
from kferry.names import TopicName, TopicPartition

_FORMAT, _VERSION = "kferry-positions", 1
_MOST_PROBLEMS = 5
_HINT = "`kferry groups export FILE` writes such files"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSnapshot:
    """Positions of groups on one cluster at one time."""

    cluster_id: str | None
    taken_at: str
    release: str
    positions: tuple[FilePosition, ...]
    topic_ids: Mapping[TopicName, str] = field(default_factory=dict)
    """By which a topic that was made anew is told from the one that was meant."""
    missing: tuple[str, ...] = ()
    """What could not be read."""


def to_json(snapshot: PositionSnapshot, *, version: str) -> str:
    """Write a snapshot; `version` is kferry's own."""
    ordered = sorted(snapshot.positions, key=lambda one: (one.group or "", one.place))
    document = {
        "format": _FORMAT,
        "version": _VERSION,
        "kferry": version,
        "taken_at": snapshot.taken_at,
        "cluster_id": snapshot.cluster_id,
        "kafka": snapshot.release,
        "missing": list(snapshot.missing),
        "topics": {name: {"id": one} for name, one in sorted(snapshot.topic_ids.items())},
        "groups": [
            {"group": group, "positions": [_position(one) for one in own]}
            for group, own in groupby(ordered, key=lambda one: one.group)
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def is_snapshot(text: str) -> bool:
    """Whether a text means to be JSON; otherwise it is CSV."""
    return text.lstrip()[:1] == "{"


def read_json(text: str, where: str) -> PositionSnapshot:
    """Read a snapshot; a file that is wrong in one place is not used at all."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadPositions(f"{where} is not JSON", str(error), hint=_HINT) from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise BadPositions(f"{where} is no snapshot of positions", hint=_HINT)
    if document.get("version") != _VERSION:
        raise BadPositions(
            f"{where} has version {document.get('version')!r}, and {_VERSION} is understood",
            hint="use the kferry that wrote it, or a newer one",
        )
    problems: list[str] = []
    positions = _positions(document, problems)
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        shown = [*problems[:_MOST_PROBLEMS], *([f"and {more:,} more"] if more > 0 else [])]
        raise BadPositions(f"{where} cannot be used", "\n".join(shown), hint=_HINT)
    if not positions:
        raise BadPositions(f"{where} holds no position", hint=_HINT)
    return PositionSnapshot(
        cluster_id=_text(document, "cluster_id") or None,
        taken_at=_text(document, "taken_at"),
        release=_text(document, "kafka"),
        positions=tuple(positions),
        topic_ids=_topic_ids(document.get("topics")),
        missing=tuple(str(one) for one in _list(document, "missing")),
    )


def _position(one: FilePosition) -> dict[str, Any]:
    return {
        "topic": one.place.topic,
        "partition": one.place.partition,
        "offset": one.offset,
        "metadata": one.metadata or "",
    }


def _positions(document: Mapping[str, Any], problems: list[str]) -> list[FilePosition]:
    found: list[FilePosition] = []
    seen: dict[str, set[TopicPartition]] = defaultdict(set)
    for entry in _list(document, "groups"):
        group = entry.get("group") if isinstance(entry, dict) else None
        if not isinstance(group, str):
            problems.append(f"a group without a name: {str(entry)[:80]}")
            continue
        for raw in _list(entry, "positions"):
            try:
                one = _checked(group, raw)
                if one.place in seen[group]:
                    raise ValueError(f"{one.place} is there twice")  # noqa: TRY301 one way out
            except ValueError as problem:
                problems.append(f"group {group}: {problem}")
                continue
            seen[group].add(one.place)
            found.append(one)
    return found


def _checked(group: str, raw: object) -> FilePosition:
    fields = raw if isinstance(raw, dict) else {}
    topic, metadata = fields.get("topic"), fields.get("metadata", "")
    if not (isinstance(topic, str) and isinstance(metadata, str)):
        raise ValueError(f"{str(raw)[:80]} is no position")  # noqa: TRY004 wrong in a file
    partition, offset = fields.get("partition"), fields.get("offset")
    # True is an integer to Python, and 1.0 equal to one.
    if type(partition) is not int or type(offset) is not int:
        raise ValueError(f"{topic[:80]}: partition and offset are whole numbers")
    return checked_position(group, topic, partition, offset, metadata)


def _topic_ids(raw: object) -> dict[TopicName, str]:
    if not isinstance(raw, dict):
        return {}
    return {
        TopicName(name): one["id"]
        for name, one in raw.items()
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    }


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _list(document: Mapping[str, Any], key: str) -> Iterable[Any]:
    value = document.get(key)
    return value if isinstance(value, list) else ()
