"""1 M JSON records in small zstd batches: nothing needs to be decompressed."""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import ceiling, cpu, memory, nothing_reencoded, throughput
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    contest = Contest(
        recipe=loads.Recipe(
            what="1 M of JSON of 250 B, zstd, 16 KiB batches",
            records=1_000_000,
            make=loads.orders,
            batch_bytes=16 << 10,
            codec="zstd",
        ),
        programs=contenders.everybody(),
        goals=[throughput(None), ceiling(None), cpu(None), memory(None), nothing_reencoded()],
    )
    return contest.run(options)
