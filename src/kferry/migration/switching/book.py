"""A cutover in the ledger: its record, and where both sides ended at the switch.

Owns these documents and the sign of life of whoever walks. What a record says is `runbook`'s.
"""

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTail, LedgerTopic, append, read_ledger
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.wire import Cluster, WireError

CUTOVER = "cutover"
_ENDED = "ended-cutover/"
_SWITCH = "switch/"
_SIGN_EVERY_S = 2.0
_LISTEN_S = 3 * _SIGN_EVERY_S
_ALIVE_MS = 15_000
"""For who only looks on; its clock may not be ours."""


class Walked(KferryError):
    """Another process walks this cutover."""

    code = "K244"
    exit_code = ExitCode.LEDGER_HELD


class CutoverOpen(KferryError):
    """A cutover has no end yet."""

    code = "K255"
    exit_code = ExitCode.REFUSED


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
        return switch_key(self.topic), {
            "target": self.target,
            "at": self.at,
            "source_ends": {str(key): value for key, value in self.source_ends.items()},
            "target_ends": {str(key): value for key, value in self.target_ends.items()},
        }


def switch_key(topic: TopicName) -> str:
    """Return the key under which a topic's switch is kept."""
    return _SWITCH + topic


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


def ended_cutovers(documents: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what is kept of cutovers that have come to an end: one migration may take several."""
    found = {
        key.removeprefix(_ENDED): value
        for key, value in documents.items()
        if key.startswith(_ENDED)
    }
    return list(found.values())


def insist_on_none_open(documents: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse to end a migration of which a part is being switched over."""
    value = documents.get(CUTOVER, {})
    if value.get("state") in {None, "done", "undone"}:
        return
    raise CutoverOpen(
        "a cutover is under way",
        f"{value.get('scheme', '')}, begun {value.get('started', '')}; it is "
        f"{value.get('state', '')}",
        hint="kferry cutover goes on with it, kferry rollback takes it back",
    )


def ways_back_of(documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the migrations on the source that were made to come back by, the ended ones too."""
    values = [value for key, value in documents.items() if key == CUTOVER or key.startswith(_ENDED)]
    found = {str(name) for one in values if (name := one.get("facts", {}).get("way_back"))}
    return sorted(found)


def walked(value: Mapping[str, Any]) -> bool:
    """Whether somebody who walks it gave a sign of life just now."""
    if value.get("state") != "walking" or ended_here(value):
        return False
    return time.time() * 1000 - int(value.get("sign", 0)) < _ALIVE_MS


def ourselves() -> str:
    """Name this process, so that people find it."""
    return f"{socket.gethostname()}, process {os.getpid()}"


async def insist_on_nobody(
    cluster: Cluster, ledger: LedgerTopic, documents: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse to work beside a process that walks a cutover. One that was killed left no word."""
    value = documents.get(CUTOVER, {})
    if value.get("state") != "walking" or ended_here(value):
        return
    # Its clock need not be ours: an old sign is not enough, no new one may come, either.
    if await _gives_signs(cluster, ledger, value):
        raise Walked(
            "another process walks a cutover of this migration just now",
            str(value.get("by", "")),
            hint="kferry status shows where it is; once it has stopped, run this again",
            changed="Nothing was changed.",
        )


def ended_here(value: Mapping[str, Any]) -> bool:
    """Whether it was a process of this very machine, or container, that is no more."""
    pid = str(value.get("by", "")).rpartition(", process ")[2]
    if value.get("place") != place() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def place() -> str:
    """Tell where process ids mean the same: containers share names of hosts, not processes."""
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        namespace = 0
    return f"{socket.gethostname()}/{namespace}"


async def _gives_signs(cluster: Cluster, ledger: LedgerTopic, known: Mapping[str, Any]) -> bool:
    contents = await read_ledger(cluster, ledger, [0])
    now = contents[0].get(CUTOVER)
    if now is not None and now.value is not None and now.value.get("sign") != known.get("sign"):
        return now.value.get("state") == "walking"
    tail = LedgerTail(cluster, ledger, [0], contents.ends)
    clock = asyncio.get_running_loop().time
    until = clock() + _LISTEN_S
    while (left := until - clock()) > 0:
        for document in await tail.poll(seconds=left):
            if document.key == CUTOVER and document.value is not None:
                return document.value.get("state") == "walking"
    return False


class CutoverBook:
    """Keeps the record, says now and then that somebody is at work, and hears whether others do."""

    def __init__(self, cluster: Cluster, ledger: LedgerTopic) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._walker = uuid.uuid4().hex
        self._tail = LedgerTail(cluster, ledger, [0])
        self._last: Mapping[str, Any] | None = None
        self._other = ""
        self._one_at_a_time = asyncio.Lock()

    async def write(self, value: Mapping[str, Any], *, ended: bool = False) -> None:
        """Keep what the record says now; `ended`: also for when the next cutover has begun."""
        async with self._one_at_a_time:
            await self._listen()
            if self._other:
                raise Walked(
                    "another process walks this cutover now",
                    self._other,
                    hint="kferry status shows where it is",
                    changed="It goes on there; this process does nothing more.",
                )
            self._last = value
            kept = [(f"{_ENDED}{value['id']}", value)] if ended else []
            await self._append(value, *kept)

    def glance(self, value: Mapping[str, Any]) -> None:
        """Keep it with the next sign of life."""
        self._last = value

    async def signs(self, lost: Callable[[], None]) -> None:
        """Give signs of life until cancelled, or until somebody else does: that is told once."""
        while True:
            await asyncio.sleep(_SIGN_EVERY_S)
            if self._last is None:
                continue
            async with self._one_at_a_time:
                with suppress(WireError):  # the next one will do
                    await self._listen()
                    if self._other:
                        # We were silent for so long that another one goes on in our place.
                        lost()
                        return
                    await self._append(self._last)

    async def note(self, documents: list[tuple[str, Mapping[str, Any] | None]]) -> None:
        """Write other documents beside it."""
        await append(self._cluster, self._ledger, 0, documents)

    async def _listen(self) -> None:
        for document in await self._tail.poll(seconds=0):
            value = document.value
            if document.key == CUTOVER and value is not None:
                walker = value.get("walker")
                if walker not in {None, self._walker}:
                    self._other = str(value.get("by", ""))

    async def _append(self, value: Mapping[str, Any], *more: tuple[str, Mapping[str, Any]]) -> None:
        signed = {
            **value,
            "sign": int(time.time() * 1000),
            "walker": self._walker,
            "place": place(),
        }
        await append(self._cluster, self._ledger, 0, [(CUTOVER, signed), *more])
