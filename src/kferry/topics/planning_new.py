"""Topics that the target does not have: what they would be, and whether it would take them.

Owns asking the target without creating anything, and bringing values that it refuses to the nearest
that it allows where that is wished.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.configs import Configs
from kferry.admin.topic_changes import create_topics
from kferry.config.plan_settings import TopicWishes
from kferry.names import TopicName
from kferry.topics.copied_configs import SEGMENT_BYTES
from kferry.topics.creation import TargetTopic, counterpart
from kferry.topics.pairing import TopicPair
from kferry.topics.terms import TargetTerms
from kferry.wire import BrokerError, Cluster

_INVALID_CONFIG = 40
_ROUNDS = 8
_OUT_OF_RANGE = re.compile(
    r"Invalid value (\S+) for configuration (\S+): Value must be (?:at least|no more than) (-?\d+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a topic would be, and what stands in the way."""

    pair: TopicPair
    """As wished."""
    topic: TargetTopic
    out_of_range: tuple[str, ...] = ()
    """`was → becomes`, for values that the target does not allow."""
    refusal: BrokerError | None = None


async def look_at_new(
    target: Cluster,
    pairs: Iterable[TopicPair],
    effective: Mapping[TopicName, Configs | None],
    *,
    terms: TargetTerms,
    wishes: TopicWishes,
) -> list[Candidate]:
    """Tell what topics would be; `effective` are the source's configs in force."""

    def made(pair: TopicPair, clamped: tuple[str, ...] = ()) -> Candidate:
        topic = counterpart(
            pair.source,
            pair.target,
            terms=terms,
            effective=effective.get(pair.source.name),
            replication=wishes.replication,
        )
        return Candidate(pair=pair, topic=topic, out_of_range=(*clamped, *_segments(pair, topic)))

    found = {one.target: made(one) for one in pairs}
    waiting = list(found)
    for _ in range(_ROUNDS):
        if not waiting:
            break
        asked = [found[name].topic.new for name in waiting]
        refusals = await create_topics(target, asked, validate_only=True)
        waiting = []
        for name, refusal in refusals.items():
            one = found[name]
            found[name] = dataclasses.replace(one, refusal=refusal)
            if wishes.clamp and (fitted := _fitted(one.pair, refusal)) is not None:
                pair, line = fitted
                found[name] = made(pair, (*one.out_of_range, line))
                waiting.append(name)
    return list(found.values())


def _segments(pair: TopicPair, topic: TargetTopic) -> tuple[str, ...]:
    """The one range that we know without asking."""
    was = (pair.source.set_configs or {}).get(SEGMENT_BYTES)
    now = topic.configs.get(SEGMENT_BYTES)
    return () if was is None or now in {None, was} else (f"{SEGMENT_BYTES}: {was} → {now}",)


def _fitted(pair: TopicPair, refusal: BrokerError | None) -> tuple[TopicPair, str] | None:
    """Put the nearest value that a broker says it allows in the place of one that it refuses."""
    if refusal is None or refusal.error_code != _INVALID_CONFIG:
        return None
    said = _OUT_OF_RANGE.search(str(refusal))
    own = pair.source.set_configs or {}
    if said is None or own.get(said[2]) in {None, said[3]}:
        return None
    source = dataclasses.replace(pair.source, set_configs={**own, said[2]: said[3]})
    line = f"{said[2]}: {own[said[2]]} → {said[3]}"
    return TopicPair(source=source, target=pair.target), line
