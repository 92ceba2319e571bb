"""What a way back needs, in a file of this machine: it serves when the target is down.

Owns the file. It holds positions and names, no credentials, and is for its owner's eyes alone.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kferry.errors import ExitCode, KferryError
from kferry.migration.group_images import Image
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.runbook.record import Record, read_record

_VERSION = 1


class BadBundle(KferryError):
    """A file that is no undo bundle."""

    code = "K249"
    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A position on the target that kferry has set, and what was there; None: nothing was."""

    group: GroupId
    place: TopicPartition
    offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a way back needs to know."""

    migration: str
    source: str
    target: str
    """Ids of the clusters."""
    record: Record
    positions: tuple[Before, ...]
    fence: Mapping[str, Any] | None = None
    """The rules that kferry made on the source, as the ledger holds them."""
    taken_back: str = ""
    """When what can be done without the target was done."""


@dataclass(slots=True, kw_only=True)
class Keepsake:
    """A bundle's file, written anew at every step of a cutover."""

    path: Path
    migration: str
    source: str
    target: str
    positions: Sequence[Image] = ()
    fence: Mapping[str, Any] | None = None
    _last: Record | None = None

    def keep_fence(self, value: Mapping[str, Any] | None) -> None:
        """Write down, at once, which rules on the source are ours."""
        self.fence = value
        if self._last is not None:
            self.keep(self._last)

    def keep(self, record: Record) -> None:
        """Write down how far it is, and which positions were set until now."""
        self._last = record
        write_bundle(
            self.path,
            Bundle(
                migration=self.migration,
                source=self.source,
                target=self.target,
                record=record,
                positions=tuple(
                    Before(group=one.group, place=one.place, offset=one.before)
                    for one in self.positions
                ),
                fence=self.fence,
            ),
        )


def write_bundle(path: Path, bundle: Bundle) -> None:
    """Write it whole or not at all."""
    value = {
        "v": _VERSION,
        "migration": bundle.migration,
        "source": bundle.source,
        "target": bundle.target,
        "cutover": bundle.record.document(),
        "positions": [
            {
                "group": one.group,
                "topic": one.place.topic,
                "partition": one.place.partition,
                "before": one.offset,
            }
            for one in bundle.positions
        ],
        "fence": bundle.fence,
        "taken_back": bundle.taken_back,
    }
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_bundle(path: Path) -> Bundle:
    """Read it back."""
    try:
        value = json.loads(path.read_text())
        if not isinstance(value, dict) or value.get("v") != _VERSION:
            raise ValueError("it is no undo bundle")  # noqa: TRY301 one way out
        return _bundle(value)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadBundle(
            f"{path} cannot be read as an undo bundle",
            str(error),
            hint="name the file that kferry cutover wrote: kferry-undo-MIGRATION.json",
        ) from None


def _bundle(value: Mapping[str, Any]) -> Bundle:
    return Bundle(
        migration=str(value["migration"]),
        source=str(value["source"]),
        target=str(value["target"]),
        record=read_record(value["cutover"]),
        positions=tuple(
            Before(
                group=GroupId(str(one["group"])),
                place=TopicPartition(
                    TopicName(str(one["topic"])), PartitionId(int(one["partition"]))
                ),
                offset=None if one["before"] is None else int(one["before"]),
            )
            for one in value["positions"]
        ),
        fence=value.get("fence"),
        taken_back=str(value.get("taken_back", "")),
    )
