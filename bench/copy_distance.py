"""A target 20 ms away, beside the same detour without the distance."""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.match import Contest, Goal
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    contest = Contest(
        recipe=loads.Recipe(
            what="2 M of 100 B, lz4, 64 KiB batches",
            records=2_000_000,
            make=loads.noise(8, 92),
            batch_bytes=64 << 10,
            codec="lz4",
        ),
        programs=[contenders.far(0), contenders.far(20)],
        goals=[
            Goal(
                what="throughput at 20 ms, against 0 ms through the same relay",
                top=("far-0", "copying"),
                bottom=("far-20", "copying"),
            )
        ],
        warm_up=("far-0",),
    )
    return contest.run(options)
