"""Asking each group's coordinator without looking for it first.

Owns the shortcut: the broker that lists a group coordinates it. Only a group that has moved since
is looked for. So a cluster without groups is never asked who coordinates what: that question alone
makes a fresh one create `__consumer_offsets`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from kferry.names import BrokerId, GroupId
from kferry.wire import Cluster, Kind, Outcomes, WireError, at_coordinators
from kferry.wire.retry import may_pass

_R = TypeVar("_R")
_CHUNK = 200
AskGroups = Callable[[BrokerId, list[GroupId]], Awaitable[Outcomes[GroupId, _R]]]


async def at_homes(
    cluster: Cluster, homes: Mapping[GroupId, BrokerId], ask: AskGroups[_R]
) -> Outcomes[GroupId, _R]:
    """Ask the broker that listed each group, and the new coordinator of those that moved."""
    by_broker: dict[BrokerId, list[GroupId]] = {}
    for group, broker in homes.items():
        by_broker.setdefault(broker, []).append(group)
    answers = await asyncio.gather(
        *(_in_chunks(broker, groups, ask) for broker, groups in by_broker.items())
    )
    outcomes: Outcomes[GroupId, _R] = {}
    for answer in answers:
        outcomes.update(answer)
    moved = [group for group, outcome in outcomes.items() if _again(outcome)]
    if moved:
        outcomes.update(await _at_new_homes(cluster, moved, ask))
    return outcomes


async def _at_new_homes(
    cluster: Cluster, groups: list[GroupId], ask: AskGroups[_R]
) -> Outcomes[GroupId, _R]:
    async def again(broker: BrokerId, own: list[str]) -> Outcomes[str, _R]:
        answer = await _in_chunks(broker, [GroupId(group) for group in own], ask)
        return {str(group): outcome for group, outcome in answer.items()}

    found = await at_coordinators(cluster, Kind.GROUP, groups, again)
    return {GroupId(group): outcome for group, outcome in found.items()}


async def _in_chunks(
    broker: BrokerId, groups: list[GroupId], ask: AskGroups[_R]
) -> Outcomes[GroupId, _R]:
    outcomes: Outcomes[GroupId, _R] = {}
    for start in range(0, len(groups), _CHUNK):
        some = groups[start : start + _CHUNK]
        try:
            outcomes.update(await ask(broker, some))
        except WireError as error:
            outcomes.update(dict.fromkeys(some, error))
    return outcomes


def _again(outcome: object) -> bool:
    return isinstance(outcome, WireError) and may_pass(outcome)
