"""Consumer groups that nobody is in, at all the places where a position can stand.

Owns the shape `groups`. Positions in expired ground and on markers are with the topics they need:
`expired`, `transactions`.
"""

from collections.abc import Mapping, Sequence

from kferry.sandbox.load.confluent import TopicPartition
from kferry.sandbox.load.record import numbered
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_EACH = 1_000
_FIRST, _OTHER = f"{PREFIX}groups", f"{PREFIX}groups-other"
_PARTITIONS = {_FIRST: 3, _OTHER: 1}

_Places = Mapping[str, Sequence[int | None]]

_GROUPS: Mapping[str, _Places] = {
    "at-start": {_FIRST: (0, 0, 0)},
    "at-end": {_FIRST: (_EACH, _EACH, _EACH)},
    "behind": {_FIRST: (_EACH - 1, _EACH // 2, 10)},
    "beyond-end": {_FIRST: (_EACH + 1, 999_999, _EACH)},
    "partly": {_FIRST: (100, None, 300)},
    # Two topics, as if each belonged to a migration of its own.
    "two-topics": {_FIRST: (100, 200, 300), _OTHER: (400,)},
    "metadata": {_FIRST: (1, 2, 3)},
}
_METADATA = ('{"checkpoint": 1, "host": "münchen-7"}', "x" * 1_000, "")
"""Brokers take up to 4096 bytes (offset.metadata.max.bytes)."""


def _fill(bench: Workbench) -> None:
    for topic, partitions in _PARTITIONS.items():
        records = numbered(bench.dice(topic), partitions=partitions, each=_EACH, size=40)
        bench.write(records, topic=topic)
    for name, places in _GROUPS.items():
        bench.commit(f"{PREFIX}groups-{name}", _positions(name, places))


def _positions(group: str, places: _Places) -> list[TopicPartition]:
    texts = _METADATA if group == "metadata" else ("",) * len(_METADATA)
    return [
        TopicPartition(topic, partition, offset, metadata=texts[partition])
        for topic, offsets in places.items()
        for partition, offset in enumerate(offsets)
        if offset is not None
    ]


SHAPES = (
    Shape(
        name="groups",
        about="at the start, at the end, behind, beyond the end, partly, on two topics, metadata",
        fill=_fill,
        topics=tuple(Topic(name=name, partitions=n) for name, n in _PARTITIONS.items()),
        groups=tuple(f"{PREFIX}groups-{name}" for name in _GROUPS),
    ),
)
