"""What would happen to records on a topic of the target that others have made.

Owns the questions, one set for all topics, and what is said when a topic could not be asked.
Whether the topic holds records already is judged elsewhere.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

from kferry.admin.configs import Configs
from kferry.admin.view import Gap, view_of
from kferry.names import TopicName
from kferry.topics.effective import effective_configs
from kferry.topics.errors import UnsafeTarget
from kferry.topics.hazard_case import Case, Hazard
from kferry.topics.inventory import CONFIGS
from kferry.topics.not_kept import not_kept
from kferry.topics.not_taken import after_limit, not_taken
from kferry.topics.pairing import TopicPair
from kferry.topics.record_times import RecordTime, TopicTimes, first_at_or_after, record_times
from kferry.wire import Cluster, Outcomes, WireError


async def find_hazards(
    source: Cluster,
    target: Cluster,
    pairs: Sequence[TopicPair],
    *,
    suspend_retention: bool,
    since_ms: int = 0,
    times: Mapping[TopicName, TopicTimes] | None = None,
) -> list[Hazard]:
    """Look for dangers to records on existing topics, in the order of `pairs`.

    `since_ms` is where the copy starts; who starts elsewhere brings the `times`, by source topic,
    of what is copied.
    """
    if not pairs:
        return []
    names = [one.target for one in pairs]
    facts = [one.source for one in pairs]
    metadata = await target.refresh(names)
    theirs, ours, found = await asyncio.gather(
        effective_configs(target, names),
        effective_configs(source, (one.name for one in facts)),
        record_times(source, facts, since_ms=since_ms),
    )
    found |= times or {}
    now_ms = int(time.time() * 1000)
    beyond = await _beyond_limits(source, pairs, theirs, found, now_ms)
    hazards: list[Hazard] = []
    for pair in pairs:
        topic = metadata.topics.get(pair.target)
        configs = theirs[pair.target]
        if topic is None or topic.error_code or isinstance(configs, WireError):
            hazards.append(await _unknown(target, pair.target, configs))
            continue
        own = ours[pair.source.name]
        case = Case(
            pair=pair,
            topic=topic,
            theirs=configs,
            ours=None if isinstance(own, WireError) else own,
            times=found[pair.source.name],
            beyond=beyond.get(pair.source.name),
            now_ms=now_ms,
            suspend_retention=suspend_retention,
        )
        hazards += [*not_taken(case), *not_kept(case)]
    return hazards


def refuse(hazards: Sequence[Hazard]) -> None:
    """Raise if one of them forbids the copy; all that do are named."""
    forbidding = [one for one in hazards if one.forbids]
    if forbidding:
        raise UnsafeTarget(
            "topics on the target are not safe to copy into",
            "\n".join(f"{one.topic}: {one.message}" for one in forbidding),
            hint="\n".join(dict.fromkeys(one.hint for one in forbidding if one.hint)),
        )


async def _beyond_limits(
    source: Cluster,
    pairs: Sequence[TopicPair],
    theirs: Outcomes[TopicName, Configs],
    times: Mapping[TopicName, TopicTimes],
    now_ms: int,
) -> dict[TopicName, RecordTime]:
    """Find records that are too new, on sources that cannot tell the newest."""
    limits = {
        one.source.name: now_ms + limit
        for one in pairs
        if times[one.source.name].newest is None
        and not isinstance(configs := theirs[one.target], WireError)
        and (limit := after_limit(configs)) is not None
    }
    return await first_at_or_after(source, limits, [one.source for one in pairs])


async def _unknown(target: Cluster, topic: TopicName, configs: Configs | WireError) -> Hazard:
    """What cannot be seen is not taken for harmless: a retention of hours may be there."""
    gap = Gap(subject="configs", reason="the target does not show the topic")
    if isinstance(configs, WireError):
        gap = (await view_of(target)).gap(CONFIGS, configs)
    return Hazard(
        topic=topic,
        code="configs-unknown",
        message=f"whether it would keep the records cannot be seen: {gap.reason}",
        hint=gap.hint.replace("'*'", f"'{topic}'"),
        forbids=True,
    )
