"""A topic over which the cleaner has gone: four of ten records are missing, so all is re-encoded.

There is no ceiling: no broker takes such batches as they are.
"""

from collections.abc import Sequence

from bench.contest import contenders, loads
from bench.contest.goals import cpu, memory, throughput
from bench.contest.match import Contest
from bench.contest.options import Options
from bench.contest.results import Result


def run(options: Options) -> Sequence[Result]:
    contest = Contest(
        recipe=loads.Recipe(
            what="3.3 M of 100 B, lz4, 64 KiB batches, 40 % taken by the cleaner",
            records=3_333_333,
            make=loads.updates,
            batch_bytes=64 << 10,
            codec="lz4",
            configs=loads.COMPACTED,
            cleaned=True,
        ),
        programs=[one for one in contenders.everybody() if one and one.short != "ceiling"],
        goals=[throughput(1.5), cpu(None), memory(None)],
        warm_up=("kferry", "loop"),
    )
    return contest.run(options)
