"""A cutover in the ledger: its record, and where both sides ended at the switch.

Owns these documents and the sign of life of whoever walks. What a record says is `runbook`'s.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTopic, append
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.wire import Cluster, WireError

CUTOVER = "cutover"
_SWITCH = "switch/"
_ALIVE_MS = 15_000
_SIGN_EVERY_S = 3.0


class Walked(KferryError):
    """Another process walks this cutover."""

    code = "K244"
    exit_code = ExitCode.LEDGER_HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Where a topic's partitions ended when it was handed over."""

    topic: TopicName
    """By its name on the source."""
    target: TopicName
    at: str
    source_ends: Mapping[int, int]
    target_ends: Mapping[int, int]

    def document(self) -> tuple[str, Mapping[str, Any]]:
        """Write it down."""
        return _SWITCH + self.topic, {
            "target": self.target,
            "at": self.at,
            "source_ends": {str(key): value for key, value in self.source_ends.items()},
            "target_ends": {str(key): value for key, value in self.target_ends.items()},
        }


def read_switches(documents: Mapping[str, Mapping[str, Any]]) -> list[Switch]:
    """Read where topics were switched over."""
    return [
        Switch(
            topic=TopicName(key.removeprefix(_SWITCH)),
            target=TopicName(str(value["target"])),
            at=str(value["at"]),
            source_ends=_ends(value["source_ends"]),
            target_ends=_ends(value["target_ends"]),
        )
        for key, value in sorted(documents.items())
        if key.startswith(_SWITCH)
    ]


def _ends(value: Mapping[str, Any]) -> dict[int, int]:
    return {int(key): int(end) for key, end in value.items()}


def ends_of(ends: Mapping[TopicPartition, int], topic: str) -> dict[int, int]:
    """Take the ends of one topic out."""
    return {one.partition: end for one, end in sorted(ends.items()) if one.topic == topic}


def as_partitions(topic: str, ends: Mapping[int, int]) -> dict[TopicPartition, int]:
    """Put them back."""
    return {
        TopicPartition(TopicName(topic), PartitionId(number)): end for number, end in ends.items()
    }


def insist_on_nobody(value: Mapping[str, Any], us: str) -> None:
    """Refuse to walk beside a process that is alive."""
    alive = time.time() * 1000 - int(value.get("sign", 0)) < _ALIVE_MS
    if value.get("state") == "walking" and alive and value.get("by") != us:
        raise Walked(
            "another process walks this cutover just now",
            str(value.get("by", "")),
            hint="kferry status shows where it is; once it has stopped, run this again",
            changed="Nothing was changed.",
        )


class CutoverBook:
    """Keeps the record, and says now and then that somebody is at work."""

    def __init__(self, cluster: Cluster, ledger: LedgerTopic) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._last: Mapping[str, Any] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def write(self, value: Mapping[str, Any]) -> None:
        """Keep what the record says now."""
        async with self._one_at_a_time:
            self._last = value
            await self._append(value)

    async def signs(self) -> None:
        """Give signs of life until cancelled."""
        while True:
            await asyncio.sleep(_SIGN_EVERY_S)
            if self._last is None:
                continue
            async with self._one_at_a_time:
                with suppress(WireError):  # the next one will do
                    await self._append(self._last)

    async def note(self, documents: list[tuple[str, Mapping[str, Any] | None]]) -> None:
        """Write other documents beside it."""
        await append(self._cluster, self._ledger, 0, documents)

    async def _append(self, value: Mapping[str, Any]) -> None:
        signed = {**value, "sign": int(time.time() * 1000)}
        await append(self._cluster, self._ledger, 0, [(CUTOVER, signed)])
