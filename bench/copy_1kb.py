"""1 M records of 1 KB, not compressed: where the disk and the socket are the work."""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import ceiling, cpu, memory, throughput
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    contest = Contest(
        recipe=loads.Recipe(
            what="1 M of 1 KB, not compressed, 128 KiB batches",
            records=1_000_000,
            make=loads.noise(8, 992),
            batch_bytes=128 << 10,
        ),
        programs=contenders.everybody(),
        goals=[throughput(2.5), ceiling(0.9), cpu(1 / 20), memory(None)],
    )
    return contest.run(options)
