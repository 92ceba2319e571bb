"""How a topic that we create differs, while it is filled, from what it will be.

Owns those differences and the way back. Pure. Old records must survive their arrival, and neither
retention nor the cleaner may take away the tail that is compared after a crash; times must stay as
they are; no record may be refused for its age or size.
"""

from collections.abc import Mapping
from typing import NamedTuple

from kferry.topics.terms import AFTER_MAX, BEFORE_MAX, DIFFERENCE_MAX, TargetTerms

NO_LIMIT = str(2**63 - 1)
MESSAGE_BYTES = "max.message.bytes"
_DEFAULT_MESSAGE_BYTES = 1_048_588
_ROOM_FOR_A_NEWER_FORMAT = 64 * 1024
"""Old formats have smaller frames: a record that just fitted then would not fit now."""
_SEGMENT_MS = "segment.ms"
_WEEK_MS = 604_800_000

SUSPENDED: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "retention.bytes": "-1",
    "retention.ms": "-1",
}
"""Set in any case: what is a default today may be none tomorrow."""
_KEEPS_RECORDS_AS_THEY_ARE: Mapping[str, str] = {
    "compression.type": "producer",
    # A source's LogAppendTime is in the records by then, and an appended time would replace it.
    "message.timestamp.type": "CreateTime",
    BEFORE_MAX: NO_LIMIT,
    AFTER_MAX: NO_LIMIT,
    DIFFERENCE_MAX: NO_LIMIT,
}

DURING_COPY = frozenset({*SUSPENDED, *_KEEPS_RECORDS_AS_THEY_ARE, MESSAGE_BYTES, _SEGMENT_MS})
"""Whatever is wished of these meanwhile waits until the copy is complete."""


class DuringCopy(NamedTuple):
    """The configs to create a topic with, and what to set when the copy is complete."""

    configs: dict[str, str]
    finished: dict[str, str | None]


def during_copy(
    configs: Mapping[str, str], terms: TargetTerms, *, source_bytes: int | None
) -> DuringCopy:
    """Tell what a topic that will have `configs` has until the copy is complete.

    `source_bytes` is the largest batch that the source allows, if it is known.
    """
    others = {
        name: value
        for name, value in {
            **_KEEPS_RECORDS_AS_THEY_ARE,
            **_sizes(configs, terms, source_bytes),
        }.items()
        if terms.knows(name) and (configs.get(name) or terms.default(name)) != value
    }
    now = {**SUSPENDED, **others}
    return DuringCopy(
        configs={**configs, **now},
        finished={
            name: configs.get(name) for name, value in now.items() if configs.get(name) != value
        },
    )


def _sizes(
    configs: Mapping[str, str], terms: TargetTerms, source_bytes: int | None
) -> dict[str, str]:
    own = configs.get(MESSAGE_BYTES)
    default = terms.number(MESSAGE_BYTES) or _DEFAULT_MESSAGE_BYTES
    # The topic's own limit may have been lowered after larger records had been written.
    batch = max(default, int(own or 0), source_bytes or 0) + _ROOM_FOR_A_NEWER_FORMAT
    # Years pass in minutes: a segment for every few of the source's would be thousands of files.
    segment_ms = int(configs.get(_SEGMENT_MS) or terms.number(_SEGMENT_MS) or _WEEK_MS)
    return {MESSAGE_BYTES: str(batch), _SEGMENT_MS: str(max(segment_ms, _WEEK_MS))}
