"""10 GB in 8 partitions, only with --large: memory must not grow with what is carried."""

import sys
from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import cpu, memory, throughput, whole
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    if not options.large:
        print("left out: only with --large", file=sys.stderr)
        return []
    contest = Contest(
        recipe=loads.Recipe(
            what="10 M of 1 KB, not compressed, 128 KiB batches: 10 GB",
            records=10_000_000,
            make=loads.noise(8, 992),
            batch_bytes=128 << 10,
        ),
        programs=[contenders.kferry(), contenders.mirror_maker_2()],
        goals=[throughput(None), whole(), cpu(None), memory(None)],
        warm_up=(),
    )
    return contest.run(options)
