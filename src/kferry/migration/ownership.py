"""Taking a migration's slots: from here on they are ours until a newcomer takes them.

Owns the order: a new epoch, our name in the slot's partition, and only then a look at what the slot
holds. Whoever wrote before our name is read; whoever writes after it is refused.
"""

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kferry.admin.producer_ids import ProducerIdentity, init_producer_id
from kferry.copying import OWNER, SNAPSHOT, Slot
from kferry.errors import ExitCode, KferryError
from kferry.ledger import Contents, LedgerTail, LedgerTopic, SlotWriter, read_ledger
from kferry.wire import BrokerError, Cluster

Documents = Mapping[str, Mapping[str, Any]]

_SIGNS = (OWNER, SNAPSHOT)
_SILENT_MS = 15_000
_LISTEN_S = 5.0
"""Longer than the two seconds between two signs of life."""
_ID_NOT_GRANTED = 53


class Held(KferryError):
    """Another process copies, and we were told not to take over."""

    code = "K205"
    exit_code = ExitCode.LEDGER_HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The slots, and what the ledger held when they became ours."""

    slots: list[Slot]
    documents: dict[int, Documents]
    ends: Mapping[int, int]
    """How far each slot was read."""
    clean: frozenset[int]
    """Slots whose former owner left them with nothing in doubt."""

    @property
    def all_documents(self) -> dict[str, Mapping[str, Any]]:
        """Every document by its key, which is the same in no two slots."""
        return {key: value for own in self.documents.values() for key, value in own.items()}


def transactional_id(migration: str, slot: int) -> str:
    """Return who a slot's owner is to the brokers."""
    return f"kferry.{migration}.{slot}"


def ourselves() -> dict[str, Any]:
    """Say who we are, for people who look for the process."""
    return {
        "id": uuid.uuid4().hex,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "state": "running",
        "at": int(time.time() * 1000),
    }


def owner_of(documents: Documents) -> str:
    """Name a slot's owner; empty where it has none at work."""
    owner = documents.get(OWNER)
    if owner is None or owner.get("state") != "running":
        return ""
    return f"{owner.get('host', '?')}, process {owner.get('pid', '?')}"


def plain(contents: Contents) -> dict[int, Documents]:
    """Leave of the ledger's documents what they say."""
    return {
        slot: {key: found.value for key, found in own.items() if found.value is not None}
        for slot, own in contents.items()
    }


async def insist_on_free(target: Cluster, ledger: LedgerTopic) -> None:
    """Refuse to take over from a process that is at work."""
    contents = await read_ledger(target, ledger)
    owners = sorted({name for own in plain(contents).values() if (name := owner_of(own))})
    if owners and await _alive(target, ledger, contents):
        raise Held(
            f"{ledger.migration} is being copied by another process",
            "; ".join(owners),
            hint="look at it with `kferry status`; without --no-takeover this command would go on "
            "in its place",
        )


async def _alive(target: Cluster, ledger: LedgerTopic, contents: Contents) -> bool:
    """Whether an owner gives signs of life. One that was killed left no last word.

    Its clock need not be ours, so an old sign is not enough: no new one may come, either.
    """
    signs = [own[key].timestamp for own in contents.values() for key in _SIGNS if key in own]
    if time.time() * 1000 - max(signs, default=0) < _SILENT_MS:
        return True
    tail = LedgerTail(target, ledger, contents.ends, contents.ends)
    clock = asyncio.get_running_loop().time
    until = clock() + _LISTEN_S
    while (left := until - clock()) > 0:
        if any(document.key in _SIGNS for document in await tail.poll(seconds=left)):
            return True
    return False


async def take_slots(target: Cluster, ledger: LedgerTopic) -> Taken:
    """Become the owner of every slot."""
    us = ourselves()

    async def take(number: int) -> tuple[Slot, Documents, bool]:
        name = transactional_id(ledger.migration, number)
        identity, fence = await _identity(target, name)
        writer = SlotWriter(target, ledger, number, name, identity)
        before = await read_ledger(target, ledger, [number])
        await writer.write([[(OWNER, us)]])
        after = await read_ledger(target, ledger, [number])
        # Nobody came in between: our name lies right behind what the former owner left.
        undisturbed = after[number][OWNER].offset == before.ends[number]
        clean = undisturbed and _left_clean(plain(before)[number])
        documents = plain(after)[number]
        slot = Slot(
            number=number,
            transactional_id=fence,
            identity=identity,
            writer=writer,
            owner=us,
            clean_before=clean,
        )
        ends[number] = after.ends[number]
        return slot, documents, clean

    ends: dict[int, int] = {}
    taken = await asyncio.gather(*map(take, range(ledger.slots)))
    return Taken(
        slots=[slot for slot, _, _ in taken],
        documents={slot.number: documents for slot, documents, _ in taken},
        ends=ends,
        clean=frozenset(slot.number for slot, _, clean in taken if clean),
    )


async def _identity(target: Cluster, name: str) -> tuple[ProducerIdentity, str | None]:
    """Return who we are to the brokers, and the id that shuts others out, where it is granted."""
    try:
        return await init_producer_id(target, name), name
    except BrokerError as error:
        if error.error_code != _ID_NOT_GRANTED:
            raise
    return await init_producer_id(target, None), None


def newer_owner(ours: Mapping[str, Any], found: Mapping[str, Any] | None) -> bool:
    """Whether a document of an owner is from somebody who came after us."""
    if found is None or found.get("state") != "running" or found.get("id") == ours["id"]:
        return False
    at = found.get("at")
    return isinstance(at, int) and at >= int(ours["at"])


def _left_clean(documents: Documents) -> bool:
    owner = documents.get(OWNER)
    return owner is not None and owner.get("state") == "stopped" and owner.get("clean") is True
