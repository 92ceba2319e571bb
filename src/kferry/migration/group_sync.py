"""One sync of positions between two clusters that somebody has connected.

Owns what is done about each position, and that every commit is read back. Positions that were
there before go into the ledger first. The source is only read.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kferry.admin.group_commit import ACTIVE, NewPosition, Results, commit_offsets, positions_of
from kferry.admin.group_offsets import Committed, Positions
from kferry.config import TopicSelection
from kferry.groups import Move, Step, Uncopied, look_there
from kferry.ledger import LedgerTopic
from kferry.migration.dual.groups import ReadFiles
from kferry.migration.group_images import Image, Setting, images_meant, remember
from kferry.migration.group_look import GroupSides, Meant, Picture, Shown, look
from kferry.migration.group_renewal import due, renew
from kferry.migration.maps import Maps
from kferry.names import GroupId, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, WireError

Agree = Callable[[str, Sequence[Move], int], bool]
"""Asked with the migration, what would be done, and how many positions would be renewed."""


async def sync_once(
    sides: GroupSides,
    *,
    selection: TopicSelection,
    meant: Meant,
    force: bool = False,
    agree: Agree | None = None,
    maps: Maps | None = None,
    uncopied: Uncopied | None = None,
    files: ReadFiles | None = None,
) -> Shown:
    """Commit on the target where every inactive group goes on, and read it back.

    Without `maps` the ledger is read anew; with them they must be its newest. What was set long ago
    is committed once more before the target forgets it. `files`: as for `look`.
    """
    target, ledger = sides.target, sides.ledger
    picture = await look(
        sides, selection, meant, to_write=True, maps=maps, uncopied=uncopied, files=files
    )
    moves = picture.moves(force=force)
    late = await _late(target, picture, moves, selection, meant)
    if not late and not any(move.step is Step.SET for move in moves):
        return picture.shown(ledger.migration, moves)
    if agree is not None:
        if not agree(ledger.migration, moves, len(late)):
            return picture.shown(ledger.migration, moves, agreed=False)
        # Whoever was asked may have taken their time.
        groups = [group.id for group in picture.groups]
        picture = replace(picture, there=await look_there(target, groups, to_write=True))
        moves = picture.moves(force=force)
    if sides.make is not None:
        ledger = await sides.make()
    done = await _commit(target, ledger, picture, moves)
    renewed = await renew(target, ledger, late)
    return replace(picture.shown(ledger.migration, done), renewed=renewed)


async def _late(
    target: Cluster,
    picture: Picture,
    moves: Sequence[Move],
    selection: TopicSelection,
    meant: Meant,
) -> list[Image]:
    """Find what must be committed once more, and is not set anyway."""
    maps = picture.maps
    images = images_meant(maps.documents, maps.sources, meant=meant, selection=selection)
    anyway = {(move.standing.group, move.place) for move in moves if move.step is Step.SET}
    return await due(
        target,
        [one for one in images if (one.group, one.place) not in anyway],
        datetime.now(UTC),
    )


async def _commit(
    target: Cluster, ledger: LedgerTopic, picture: Picture, moves: Sequence[Move]
) -> list[Move]:
    wanted: dict[GroupId, dict[TopicPartition, NewPosition]] = {}
    settings = []
    for move in moves:
        standing, place = move.standing, move.place
        if move.step is not Step.SET or place is None or standing.target_offset is None:
            continue
        before = picture.there[standing.group].committed.get(place)
        settings.append(
            Setting(
                group=standing.group,
                place=place,
                offset=standing.target_offset,
                before=None if before is None else before[0],
                metadata="" if before is None else before[1],
            )
        )
        wanted.setdefault(standing.group, {})[place] = NewPosition(
            offset=standing.target_offset, metadata=standing.metadata
        )
    if not wanted:
        return list(moves)
    await remember(target, ledger, picture.maps.documents, settings)
    results = await commit_offsets(target, wanted)
    read = await positions_of(target, wanted)
    return [_done(move, results, read) if move.step is Step.SET else move for move in moves]


def _done(
    move: Move,
    results: Outcomes[GroupId, Results],
    read: Outcomes[GroupId, Positions],
) -> Move:
    """Say how a commit ended: what was answered, and what is read back, must agree."""
    group, place = move.standing.group, move.place
    if place is None:
        return move
    if (refusal := refused(results[group], place)) is not None:
        if isinstance(refusal, BrokerError) and refusal.error_code in ACTIVE:
            return replace(
                move, step=Step.ACTIVE, reason="the group became active on the target: not moved"
            )
        return move.failed(str(refusal))
    there = committed_at(read[group], place)
    if isinstance(there, Committed) and there.offset == move.standing.target_offset:
        return move
    found = "nothing" if there is None else str(getattr(there, "offset", there))
    return move.failed(f"read back: {found} in place of {move.standing.target_offset:,}")


def refused(results: Results | WireError, place: TopicPartition) -> WireError | None:
    """Return what speaks against a change, if something does."""
    return results if isinstance(results, WireError) else results[place]


def committed_at(
    positions: Positions | WireError, place: TopicPartition
) -> Committed | WireError | None:
    """Return what was read back."""
    return positions if isinstance(positions, WireError) else positions.get(place)
