"""Following a thousand records a second: how much later a consumer on the target has them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
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
_RATE, _SECONDS = 1000, 30
_SHORTEST_S = 10
_SETTLED_S = 3.0
"""A while of quiet after the first record: a JVM still starts threads, and so do we."""
_DIRECT = "direct"
_RECIPE = loads.Recipe(what="", records=80, make=loads.noise(8, 92), batch_bytes=64 << 10)
_GOALS = [
    Goal(
        what=f"{named}, against MirrorMaker 2",
        top=("kferry", key),
        bottom=("mm2", key),
        at_most=0.5,
    )
    for named, key in (("half of all, ms", "p50_ms"), ("99 of 100, ms", "p99_ms"))
]


def run(options: Options) -> Sequence[Result]:
    programs = [contenders.following_kferry(), contenders.mirror_maker_2(linger_ms=0)]
    present = [one for one in programs if options.takes_part(one.short)]
    runs: dict[str, list[Mapping[str, float]]] = {one.short: [] for one in present}
    runs[_DIRECT] = []
    count = _RATE * max(_SHORTEST_S, round(_SECONDS * options.scale))
    spec = ClusterSpec(broker_defaults=True)
    with (
        Sandbox.start(name=f"bench-{os.getpid()}", source=spec, target=spec) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        case = Case(sandbox=sandbox, topic=_TOPIC, codec="none", number=0, folder=Path(folder))
        _fresh(case)
        for side in ("source", "target"):  # cold JVMs
            _latency(case, count, side=side, sent_to=side)
        for _ in range(options.rounds):
            _fresh(case)
            runs[_DIRECT].append(_latency(case, count, side="source"))
            for program in present:
                case = replace(case, number=case.number + 1)
                _fresh(case)
                runs[program.short].append(_through(program, case, count))
                print(
                    f"  {contender(program.name, '', runs[program.short][-1:]).line()}", flush=True
                )
    direct = contender("no copy: the source itself", "consumer on the source", runs[_DIRECT])
    results = [contender(one.name, one.shown, runs[one.short]) for one in present]
    by_short: dict[str, Contender] = dict(zip((one.short for one in present), results, strict=True))
    return [direct, *results, *ratios(_GOALS, by_short)]


def _fresh(case: Case) -> None:
    topics.delete(case.source, _TOPIC)
    topics.delete(case.target, _TOPIC, KFERRY_LEAVES, LEAVES)
    loads.fill(case.source, _TOPIC, _RECIPE)
    topics.create(case.target, _TOPIC, _RECIPE.partitions, topics.TARGET_CONFIGS)


def _through(program: Program, case: Case, count: int) -> Mapping[str, float]:
    """Start a copy; once it follows, measure."""
    with (
        Arrival(case.target, _TOPIC) as arrival,
        Measured(program.command(case), output=case.folder / str(case.number)) as process,
    ):
        try:
            arrival.wait(program.name)
            arrival.drain()
            time.sleep(_SETTLED_S)
            before = process.cpu_seconds
            took = _latency(case, count, side="target")
        except (RuntimeError, FileNotFoundError) as error:
            raise RuntimeError(f"{error}\n{process.last_words()}") from error
        cpu = process.cpu_seconds - before
        memory = process.end(signal.SIGTERM).memory_mb
    return {**took, "cpu_seconds": cpu, "memory_mb": memory}


def _latency(case: Case, count: int, *, side: str, sent_to: str = "source") -> dict[str, float]:
    """Send on one side and receive on the same or the other."""
    end = [sys.executable, "-m", "bench.contest.latency"]
    what = ["--sandbox", case.sandbox.name, "--topic", _TOPIC, "--count", str(count)]
    with subprocess.Popen(
        [*end, "receive", *what, "--side", side], stdout=subprocess.PIPE, text=True
    ) as receiver:
        assert receiver.stdout is not None
        try:
            receiver.stdout.readline()  # it says that it is ready, or has ended
            subprocess.run(
                [*end, "send", *what, "--side", sent_to, "--rate", str(_RATE)], check=True
            )
            said = receiver.stdout.readline()
        except BaseException:
            receiver.kill()
            raise
    found: dict[str, float] = json.loads(said)
    if found["received"] != count:
        raise RuntimeError(f"{found['received']:,} of {count:,} records arrived")
    return found
