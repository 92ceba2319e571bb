"""Positions tried: committed to shadow groups on the target, and what lies behind them compared.

Owns which positions are tried. How shadows are told apart, and how records are compared, is
`migration`'s.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from kferry.admin.offsets import Place, offsets_at
from kferry.groups import Move, take_groups
from kferry.groups import Step as Fate
from kferry.migration.group_look import GroupSides, Picture, look, named
from kferry.migration.maps import Maps
from kferry.migration.status import snapshot_of
from kferry.migration.switching.sample import Sample, Start, compare_next
from kferry.migration.switching.shadow import Shadows
from kferry.migration.switching.starts import places_of
from kferry.names import GroupId, TopicPartition
from kferry.runbook import rehearsal_readings as told
from kferry.runbook.operations import Reading
from kferry.runbook.rehearsal_ground import PATIENCE_S, Ground, pause


@dataclass(slots=True, kw_only=True)
class Positions:
    """Tries the positions of all groups."""

    ground: Ground
    shadows: Shadows
    stop: asyncio.Event
    samples: list[Sample] = field(default_factory=list)
    seconds: float | None = None
    """How long committing and reading back took, with looking where groups go on; None: nothing
    could be tried."""

    async def run(self) -> list[Reading]:
        """Try them."""
        if not self.ground.scheme.copies:
            return await self._at_starts()
        picture, began = await self._picture()
        if picture is None:
            return [told.none_to_try()]
        moves = picture.moves()
        starts = _starts(moves)
        await self.shadows.commit(
            {group: {one.target: one.target_offset for one in own} for group, own in starts.items()}
        )
        self.seconds = time.monotonic() - began
        self.samples = await compare_next(
            self.ground.sides.clusters, picture.maps, starts, stop=self.stop
        )
        partitions = await self.ground.scope.source_partitions(self.ground.source)
        at_work = {group.id for group in await self.ground.groups() if group.members}
        return [
            told.places(moves, self.ground.scope, partitions, at_work),
            told.records(self.samples),
        ]

    async def _at_starts(self) -> list[Reading]:
        ground, began = self.ground, time.monotonic()
        logs = await offsets_at(
            ground.target, await ground.scope.target_partitions(ground.target), Place.START
        )
        groups = await ground.groups()
        wanted = {group.id: places_of(group, ground.scope, logs) for group in groups}
        await self.shadows.commit(wanted)
        self.seconds = time.monotonic() - began
        return [told.starts(len(groups), sum(map(len, wanted.values())))]

    async def _picture(self) -> tuple[Picture | None, float]:
        """Look where groups go on; a copy at work gets a moment to write down what it did.

        Also tells when the last look began: a cutover has no copy at work by then.
        """
        ground, began = self.ground, time.monotonic()
        if ground.ledger is None:
            return None, began
        meant = named(ground.scope.groups)
        sides = GroupSides(source=ground.source, target=ground.target, ledger=ground.ledger)
        # Positions of one moment: those of a group at work would always be ahead of the ledger.
        found = await take_groups(ground.source, ground.scope.selection, meant)
        until = time.monotonic() + PATIENCE_S
        while True:
            began = time.monotonic()
            documents = await ground.documents()
            maps = Maps.of(documents)
            picture = await look(
                sides, ground.scope.selection, meant, to_write=False, maps=maps, found=found
            )
            waits = any(move.step is Fate.WAITS for move in picture.moves())
            if not waits or not told.copies_now(snapshot_of(ground.ledger, documents)):
                break
            if time.monotonic() >= until:
                break
            await pause(self.stop)
        copied = any(name in maps.topics for name in ground.scope.topics)
        return (picture if copied or not ground.scheme.unconsumed else None), began


def _starts(moves: Sequence[Move]) -> dict[GroupId, list[Start]]:
    """Take the positions that have a place on the target."""
    found: dict[GroupId, list[Start]] = {}
    for move in moves:
        one, place = move.standing, move.place
        if place is None or one.target_offset is None or one.source_offset is None:
            continue
        found.setdefault(one.group, []).append(
            Start(
                source=TopicPartition(one.topic, one.partition),
                source_offset=one.source_offset,
                target=place,
                target_offset=one.target_offset,
            )
        )
    return found
