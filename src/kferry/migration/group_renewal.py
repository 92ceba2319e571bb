"""Positions of groups that have not started on the target, kept until they do.

Owns when one is due. A broker drops what was committed for a group without members after
`offsets.retention.minutes`; committing the same once more begins that time anew. Once a group has
had members the broker counts from when the last one left: nothing can be done, and nothing need be.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from kferry.admin.configs import broker_configs
from kferry.admin.group_commit import ACTIVE, NewPosition, commit_offsets
from kferry.groups import There, look_there
from kferry.ledger import LedgerTopic
from kferry.migration.group_images import Image, remember_renewal
from kferry.names import GroupId, TopicPartition
from kferry.wire import BrokerError, Cluster, WireError

_LONGEST = timedelta(days=1)
_SHORTEST_DEFAULT = timedelta(days=1)
"""Before Kafka 2.0; what is assumed where the setting may not be read."""
_SETTING = "offsets.retention.minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What was committed once more, and what spoke against the rest."""

    images: tuple[Image, ...] = ()
    troubles: tuple[str, ...] = ()


NOTHING = Renewed()


async def due(target: Cluster, images: Iterable[Image], now: datetime) -> list[Image]:
    """Return the positions that were set so long ago that it is time."""
    known = list(images)
    if not known:
        return []
    limit = oldest(await _retention(target))
    return [one for one in known if one.ours and now - one.at > limit]


def oldest(retention: timedelta | None) -> timedelta:
    """Say how old a position may become: there must be time to miss a renewal, or two."""
    return min(_LONGEST, (_SHORTEST_DEFAULT if retention is None else retention) / 4)


async def renew(target: Cluster, ledger: LedgerTopic, images: Iterable[Image]) -> Renewed:
    """Commit positions once more, of groups that still stand where kferry has set them."""
    wanted = list(images)
    there = await look_there(target, {one.group for one in wanted}, to_write=True)
    still = [one for one in wanted if _untouched(one, there[one.group])]
    if not still:
        return NOTHING
    positions: dict[GroupId, dict[TopicPartition, NewPosition]] = {}
    for one in still:
        offset, metadata = there[one.group].committed[one.place]
        positions.setdefault(one.group, {})[one.place] = NewPosition(
            offset=offset, metadata=metadata
        )
    results = await commit_offsets(target, positions)
    done, troubles = [], set()
    for one in still:
        answer = results[one.group]
        refusal = answer if isinstance(answer, WireError) else answer[one.place]
        if refusal is None:
            done.append(replace(one, at=datetime.now(UTC)))
        elif not (isinstance(refusal, BrokerError) and refusal.error_code in ACTIVE):
            troubles.add(f"{one.group}: {refusal}")
    await remember_renewal(target, ledger, done)
    return Renewed(images=tuple(done), troubles=tuple(sorted(troubles)))


def _untouched(image: Image, there: There) -> bool:
    found = there.committed.get(image.place)
    idle = not (there.trouble or there.active or there.started)
    return idle and found is not None and found[0] == image.ours[0]


async def _retention(target: Cluster) -> timedelta | None:
    try:
        configs = await broker_configs(target, min(target.metadata.brokers))
    except WireError:
        return None
    found = configs.get(_SETTING)
    number = "" if found is None else found.value or ""
    return timedelta(minutes=int(number)) if number.isdigit() else None
