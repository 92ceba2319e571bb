"""The same as copy_plain, a month old: brokers forget producers of such records (rule 3)."""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import ceiling, cpu, memory, throughput
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    contest = Contest(
        recipe=loads.Recipe(
            what="5 M of 100 B, a month old, lz4, 64 KiB batches",
            records=5_000_000,
            make=loads.noise(8, 92, age_ms=loads.MONTH_MS),
            batch_bytes=64 << 10,
            codec="lz4",
        ),
        programs=contenders.everybody(),
        goals=[throughput(4), ceiling(None), cpu(None), memory(100)],
    )
    return contest.run(options)
