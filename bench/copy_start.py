"""From the command to the first record in a consumer's hands, with new and with existing state."""

import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.contest import contenders, loads, topics
from bench.contest.arrival import Arrival
from bench.contest.case import Case
from bench.contest.contenders import KFERRY_LEAVES, Program
from bench.contest.match import Goal, ratios
from bench.contest.mirror_maker import LEAVES
from bench.contest.options import Options
from bench.contest.results import Contender, Result, contender
from bench.contest.usage import Measured
from kferry.sandbox import ClusterSpec, Sandbox

_TOPIC = "bench"
_MORE_ROUNDS = 2
"""Starts are short and vary more than copies do."""
_RECIPE = loads.Recipe(
    what="1,000 of 100 B", records=1_000, make=loads.noise(8, 92), batch_bytes=64 << 10
)
_GOALS = [
    Goal(what="seconds to the first record, new ledger", top=("kferry", "new"), at_most=3),
    Goal(what="seconds to the first record, known ledger", top=("kferry", "known"), at_most=1.5),
    Goal(
        what="MirrorMaker 2's time against ours, new", top=("mm2", "new"), bottom=("kferry", "new")
    ),
    Goal(
        what="MirrorMaker 2's time against ours, known state",
        top=("mm2", "known"),
        bottom=("kferry", "known"),
    ),
]


def run(options: Options) -> Sequence[Result]:
    programs = [contenders.following_kferry(), contenders.mirror_maker_2(linger_ms=0)]
    present = [one for one in programs if options.takes_part(one.short)]
    runs: dict[str, list[Mapping[str, float]]] = {one.short: [] for one in present}
    spec = ClusterSpec(broker_defaults=True)
    with (
        Sandbox.start(name=f"bench-{os.getpid()}", source=spec, target=spec) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        loads.fill(sandbox.source, _TOPIC, _RECIPE)
        case = Case(sandbox=sandbox, topic=_TOPIC, codec="none", number=0, folder=Path(folder))
        for _ in range(options.rounds + _MORE_ROUNDS):
            for program in present:
                case = replace(case, number=case.number + 1)
                runs[program.short].append(_starts(program, case))
                print(
                    f"  {contender(program.name, '', runs[program.short][-1:]).line()}", flush=True
                )
    results = [contender(one.name, one.shown, runs[one.short]) for one in present]
    by_short: dict[str, Contender] = dict(zip((one.short for one in present), results, strict=True))
    return [*results, *ratios(_GOALS, by_short)]


def _starts(program: Program, case: Case) -> Mapping[str, float]:
    """Start it twice: where it has never been, and where it has left its state in good order."""
    topics.delete(case.target, _TOPIC, KFERRY_LEAVES, LEAVES)
    topics.create(case.target, _TOPIC, _RECIPE.partitions, topics.TARGET_CONFIGS)
    new = _start(program, case)
    loads.write(case.source, _TOPIC, _RECIPE)
    return {"new": new, "known": _start(program, case)}


def _start(program: Program, case: Case) -> float:
    command = program.command(case)
    output = case.folder / f"{program.short}-{case.number}"
    with (
        Arrival(case.target, _TOPIC) as arrival,
        Measured(command, output=output) as process,
    ):
        try:
            seconds = arrival.wait(program.name) - process.began
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{process.last_words()}") from error
        arrival.drain()
        process.end(signal.SIGTERM)
    return seconds
