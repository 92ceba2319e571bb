"""300,000 batches of one record: a request carries one batch per partition, so merging decides."""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import ceiling, cpu, memory, throughput
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    contest = Contest(
        recipe=loads.Recipe(
            what="300,000 batches of one record of 200 B",
            records=300_000,
            make=loads.noise(8, 192),
            batch_bytes=64 << 10,
            batch_records=1,
            producers=4,
        ),
        programs=contenders.everybody(),
        goals=[throughput(2), ceiling(None), cpu(None), memory(None)],
    )
    return contest.run(options)
