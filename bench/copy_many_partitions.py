"""2,000 partitions with 50 records each: what a partition costs, in time and memory."""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import cpu, memory, throughput, whole
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    contest = Contest(
        recipe=loads.Recipe(
            what="2,000 partitions, 50 records of 100 B each",
            records=100_000,
            make=loads.noise(8, 92),
            batch_bytes=64 << 10,
            codec="lz4",
            partitions=2000,
            few_partitions=False,
        ),
        programs=contenders.everybody(),
        goals=[throughput(None), whole(), cpu(None), memory(None)],
    )
    return contest.run(options)
