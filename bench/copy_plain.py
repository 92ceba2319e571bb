"""5 M records of 100 B, lz4, written just now: the plainest work, where bytes pass through."""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import ceiling, cpu, memory, throughput
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    contest = Contest(
        recipe=loads.Recipe(
            what="5 M of 100 B, lz4, 64 KiB batches",
            records=5_000_000,
            make=loads.noise(8, 92),
            batch_bytes=64 << 10,
            codec="lz4",
        ),
        programs=contenders.everybody(),
        goals=[throughput(5), ceiling(0.9), cpu(1 / 30), memory(100)],
    )
    return contest.run(options)
