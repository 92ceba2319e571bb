"""Both sides compared, as a gate of a cutover.

Owns how much is compared and what is said of it. How records are compared is `verify`'s.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kferry.migration.requests import CopyRequest
from kferry.migration.switching.scope import Scope
from kferry.migration.verify import (
    Level,
    PartitionVerdict,
    VerifyProgress,
    VerifyRequest,
    VerifyResult,
    verify,
)
from kferry.names import TopicPartition
from kferry.runbook.operations import Reading, Stopped
from kferry.units import some

_TELL_EVERY_S = 10.0


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Compares what was copied of a cutover's topics."""

    copy: CopyRequest
    migration: str
    scope: Scope
    level: Level | None
    """None: nothing is compared, because somebody said so."""
    narrate: Callable[[str], None]
    stop: asyncio.Event
    pace: float | None = None
    """Records compared in a second, the last time there was anything to compare."""
    _told_at: float = 0.0
    _since: dict[TopicPartition, int] = field(default_factory=dict)

    async def run(self) -> Reading:
        """Compare now."""
        if self.level is None:
            return Reading(gate="verified", passed=True, measured="not compared: --verify none")
        result = await verify(
            VerifyRequest(
                source=self.copy.source,
                target=self.copy.target,
                migration=self.migration,
                selection=self.scope.selection,
                level=self.level,
                since=self._since,
            ),
            watch=self,
            stop=self.stop,
        )
        if self.stop.is_set():
            raise Stopped
        if result.seconds and result.total.same:
            self.pace = result.total.same / result.seconds
        reading = verdict(result)
        if reading.passed:
            # Applications wait while the tail is compared: what was compared before is not again.
            self._since = {one.partition: one.source_range[1] for one in result.partitions}
        return reading

    def verified(self, progress: VerifyProgress, /) -> None:
        """Say now and then how far it is."""
        if progress.seconds - self._told_at >= _TELL_EVERY_S:
            self._told_at = progress.seconds
            self.narrate(f"{progress.records:,} of {progress.total:,} records compared")


def verdict(result: VerifyResult) -> Reading:
    """Judge what was found."""
    total = result.total
    apart = total.differ + total.only_source + total.only_target
    troubles = [f"{one.partition}: {one.trouble}" for one in result.partitions if one.trouble]
    first = [_named(one) for one in result.partitions if one.first_difference is not None]
    at = datetime.now(UTC).strftime("%H:%M:%S")
    passed = total.clean and result.done and not troubles
    return Reading(
        gate="verified",
        passed=passed,
        final=not passed,
        measured=f"{total.same:,} records the same, {apart:,} apart ({result.level}, {at} UTC)",
        why="; ".join([*([some(first)] if first else []), *([some(troubles)] if troubles else [])]),
    )


def _named(one: PartitionVerdict) -> str:
    return f"{one.partition}: {one.first_difference}"
