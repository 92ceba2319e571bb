"""Taking back what `groups sync` set: every position as it was before the first sync.

Owns the order and the caution: a group that is active, or that has moved on by itself, stays where
it is. Needs the target alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from kferry.admin.group_commit import (
    NewPosition,
    Results,
    commit_offsets,
    delete_offsets,
    positions_of,
)
from kferry.admin.group_offsets import Committed, Positions
from kferry.config import ClusterSettings, TopicSelection
from kferry.groups import Step, There, look_there
from kferry.migration.group_images import Image, forget, images_meant, images_of
from kferry.migration.group_look import named
from kferry.migration.group_sync import committed_at, refused
from kferry.migration.maps import Documents, Maps, read_documents
from kferry.migration.status import find
from kferry.names import GroupId, TopicName
from kferry.wire import Cluster, Outcomes, open_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """One position: `image.before` is where it was, `committed` where it is."""

    image: Image
    step: Step
    reason: str
    committed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was taken back, or, where somebody said no, what would have been."""

    migration: str
    positions: tuple[TakenBack, ...]
    agreed: bool = True


async def undo(
    target: ClusterSettings,
    *,
    migration: str | None,
    source: ClusterSettings | None,
    selection: TopicSelection,
    groups: Collection[str],
    agree: Callable[[str, Sequence[TakenBack]], bool],
    force: bool = False,
    names: Mapping[TopicName, TopicName] | None = None,
) -> Undone:
    """Put positions back. `force`: also those of groups that have moved on since.

    `names`: target topics that were never copied, by what they are called on the source.
    """
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        documents = await read_documents(cluster, ledger)
        known = Maps.of(documents).sources | dict(names or {})
        images = images_meant(documents, known, meant=named(groups), selection=selection)
        steps = await _decided(cluster, images, force=force)
        if not any(one.step in {Step.SET, Step.SAME} for one in steps):
            return Undone(migration=ledger.migration, positions=tuple(steps))
        if any(one.step is Step.SET for one in steps):
            if not agree(ledger.migration, steps):
                return Undone(migration=ledger.migration, positions=tuple(steps), agreed=False)
            steps = await _decided(cluster, images, force=force)
            steps = await _put_back(cluster, steps)
        settled = [one.image for one in steps if one.step in {Step.SET, Step.SAME}]
        await forget(cluster, ledger, settled)
        return Undone(migration=ledger.migration, positions=tuple(steps))


async def look_back(cluster: Cluster, documents: Documents) -> list[TakenBack]:
    """Tell of every position that kferry set what taking it back would do; changes nothing."""
    return await _decided(cluster, images_of(documents), force=False)


async def _decided(cluster: Cluster, images: Sequence[Image], *, force: bool) -> list[TakenBack]:
    there = await look_there(cluster, {one.group for one in images}, to_write=True)
    return [_decide(one, there[one.group], force=force) for one in images]


def _decide(image: Image, there: There, *, force: bool) -> TakenBack:
    found = there.committed.get(image.place)
    committed = None if found is None else found[0]
    before = "no position" if image.before is None else f"{image.before:,}"

    def step(step: Step, reason: str) -> TakenBack:
        return TakenBack(image=image, step=step, reason=reason, committed=committed)

    if there.trouble:
        return step(Step.FAILED, there.trouble)
    if committed == image.before:
        return step(Step.SAME, f"it is back at {before} already")
    if there.active:
        where = f" ({', '.join(there.members)})" if there.members else ""
        return step(Step.ACTIVE, f"the group is active on the target{where}: it is not moved")
    if committed not in image.ours and not force:
        now = "no position" if committed is None else f"{committed:,}"
        return step(Step.AHEAD, f"somebody else has moved it since, it is at {now}")
    return step(Step.SET, f"back to {before}")


async def _put_back(cluster: Cluster, steps: Sequence[TakenBack]) -> list[TakenBack]:
    wanted = [one.image for one in steps if one.step is Step.SET]
    older = _by_group([one for one in wanted if one.before is not None])
    none = _by_group([one for one in wanted if one.before is None])
    done = await commit_offsets(
        cluster,
        {
            group: {
                one.place: NewPosition(offset=one.before or 0, metadata=one.metadata) for one in own
            }
            for group, own in older.items()
        },
    )
    gone = await delete_offsets(
        cluster, {group: [one.place for one in own] for group, own in none.items()}
    )
    read = await positions_of(cluster, {one.group for one in wanted})
    return [
        _ended(one, gone if one.image.before is None else done, read)
        if one.step is Step.SET
        else one
        for one in steps
    ]


def _by_group(images: Collection[Image]) -> dict[GroupId, list[Image]]:
    found: dict[GroupId, list[Image]] = {}
    for one in images:
        found.setdefault(one.group, []).append(one)
    return found


def _ended(
    one: TakenBack, results: Outcomes[GroupId, Results], read: Outcomes[GroupId, Positions]
) -> TakenBack:
    image = one.image
    refusal = refused(results[image.group], image.place)
    if refusal is not None:
        return replace(one, step=Step.FAILED, reason=str(refusal))
    there = committed_at(read[image.group], image.place)
    offset = there.offset if isinstance(there, Committed) else None
    if isinstance(there, Exception) or offset != image.before:
        return replace(one, step=Step.FAILED, reason=f"read back: {there}")
    return one
