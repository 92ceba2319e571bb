"""Positions taken back to the source: how far groups came on the target, in the source's offsets.

Owns the one commit that kferry makes on a source, and only when a person takes a cutover back. A
group that is active on the source is left alone.
"""

from collections.abc import Collection

from kferry.admin.group_commit import NewPosition
from kferry.errors import ExitCode, KferryError
from kferry.groups import look_there
from kferry.ledger import LedgerTopic
from kferry.migration.dual.groups import ReadFiles
from kferry.migration.dual.looking import look_until_settled
from kferry.migration.maps import Maps, read_documents
from kferry.migration.switching.at_work import read_at_work
from kferry.migration.switching.committing import commit_and_read_back
from kferry.migration.switching.scope import Scope
from kferry.names import GroupId, TargetOffset, TopicPartition
from kferry.wire import Cluster


class NotHome(KferryError):
    """Some positions could not be taken back."""

    code = "K246"
    exit_code = ExitCode.FAILED


async def take_home(source: Cluster, target: Cluster, ledger: LedgerTopic, scope: Scope) -> int:
    """Commit on the source where each group stands on the target; return how many positions."""
    documents = await read_documents(target, ledger, source=source)
    maps, at_work = Maps.of(documents), read_at_work(documents).reads
    back = {scope.there(one): one for one in await scope.source_partitions(source)}
    wanted: dict[GroupId, dict[TopicPartition, NewPosition]] = {}
    for group in await scope.groups_on(target, of_target=True):
        for one in group.positions or ():
            here = back.get(TopicPartition(one.topic, one.partition))
            offsets = None if here is None else maps.map_of(here)
            if here is None or offsets is None or one.offset is None:
                continue
            if one.offset > offsets.target_end:
                raise NotHome(
                    f"{group.id} stands behind all that was copied",
                    f"{one.topic} partition {one.partition}: at {one.offset:,}, and the copy ends "
                    f"at {offsets.target_end:,}; the records between are somebody else's",
                    hint="kferry groups reset sets its position on the source by hand",
                    changed="No position was changed on the source.",
                )
            at = offsets.to_source(TargetOffset(one.offset)).offset
            wanted.setdefault(group.id, {})[here] = NewPosition(offset=at, metadata=one.metadata)
    return await _commit(source, wanted, at_work)


async def take_home_by_files(
    source: Cluster, target: Cluster, ledger: LedgerTopic, scope: Scope, read: ReadFiles
) -> int:
    """Do the same where applications write both sides: by their map files, turned round."""
    at_work = read_at_work(await read_documents(target, ledger, source=source)).reads
    groups = await scope.groups_on(target, of_target=True)
    stood = await look_there(source, [group.id for group in groups], to_write=True)
    back = {scope.there(one): one for one in await scope.source_partitions(source)}
    files = read()

    def left_at(group: GroupId, place: TopicPartition) -> int | None:
        """Where it never committed, it can have read on the target what was written to both."""
        known = stood[group].committed.get(place)
        return files.first(place) if known is None else known[0]

    low: dict[TopicPartition, int | None] = {}
    for place in back.values():
        if place.topic in files.topics:
            known = [left_at(one.id, place) for one in groups]
            low[place] = min((one for one in known if one is not None), default=None)
    _, found = await look_until_settled(source, target, read, low)
    wanted: dict[GroupId, dict[TopicPartition, NewPosition]] = {}
    for group in groups:
        for one in group.positions or ():
            here = back.get(TopicPartition(one.topic, one.partition))
            stood_at = None if here is None else left_at(group.id, here)
            if here is None or here not in found or one.offset is None or stood_at is None:
                continue
            joined = found[here]
            if joined.trouble:
                raise NotHome(
                    f"{here} could not be looked at",
                    joined.trouble,
                    hint="kferry rollback does it once both clusters answer",
                    changed="No position was changed on the source.",
                )
            at, _ = joined.home(stood_at, one.offset)
            wanted.setdefault(group.id, {})[here] = NewPosition(offset=at, metadata=one.metadata)
    return await _commit(source, wanted, at_work)


async def _commit(
    source: Cluster,
    wanted: dict[GroupId, dict[TopicPartition, NewPosition]],
    at_work: Collection[GroupId],
) -> int:
    known = await look_there(source, list(wanted), to_write=True)
    wanted = {
        group: new
        for group, own in wanted.items()
        # One that is not known here is none of the source's; who worked here may have no position.
        if (known[group].committed or group in at_work)
        and (
            new := {
                place: position
                for place, position in own.items()
                # A group that went on here is not set back.
                if known[group].committed.get(place, (-1, ""))[0] < position.offset
            }
        )
    }
    if not wanted:
        return 0
    wrong = await commit_and_read_back(source, wanted)
    if wrong:
        raise NotHome(
            "some positions could not be taken back to the source",
            "\n".join(wrong),
            hint="stop what still consumes there, then kferry rollback does the rest",
        )
    return sum(map(len, wanted.values()))
