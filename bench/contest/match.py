"""Rounds: every contender in turn over the same load, and what each of them took.

Owns the run of a contest. A target topic is new in each run; making and removing it is not
measured. What arrived is counted afterwards, so that nobody is fast by leaving something out.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.contest import loads, topics
from bench.contest.case import Case
from bench.contest.contenders import KFERRY_LEAVES, Program
from bench.contest.mirror_maker import LEAVES as MIRROR_MAKER_LEAVES
from bench.contest.options import Options
from bench.contest.results import Contender, Load, Ratio, contender
from bench.contest.usage import Measured, Usage
from kferry.config import load_properties
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.sandbox import ClusterSpec, Sandbox, Security
from kferry.wire import open_cluster

TOPIC = "bench"
_MB = 1_000_000
_LOOK_S = 0.02
_PARTITIONS_PER_SECOND = 10_000
"""How many end offsets the harness asks for at most: looking must cost the broker little."""
_STANDSTILL_S = 120.0

Run = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A median, or the ratio of two, and what it should be. Each is named (contender, number)."""

    what: str
    top: tuple[str, str]
    bottom: tuple[str, str] | None = None
    at_least: float | None = None
    at_most: float | None = None


@dataclass(slots=True, kw_only=True)
class Contest:
    """A load, who carries it, and what is to be reached."""

    recipe: loads.Recipe
    programs: Sequence[Program | None]
    goals: Sequence[Goal]
    security: Security = Security.PLAINTEXT
    warm_up: Sequence[str] = ("ceiling", "kferry")
    """Who runs once before it counts: the target's JVM and its transaction log are cold."""
    _number: int = field(default=0, init=False)

    def run(self, options: Options) -> list[Load | Contender | Ratio]:
        """Start clusters, make the load, run all rounds."""
        present = [one for one in self.programs if one and options.takes_part(one.short)]
        spec = ClusterSpec(broker_defaults=True, security=self.security)
        with (
            Sandbox.start(name=f"bench-{os.getpid()}", source=spec, target=spec) as sandbox,
            tempfile.TemporaryDirectory() as folder,
        ):
            recipe = self.recipe.scaled(options)
            loads.fill(sandbox.source, TOPIC, recipe)
            load = _described(sandbox, recipe, options.scale)
            _say(load.line())
            for program in present:
                if program.short in self.warm_up:
                    self._run(sandbox, program, load, Path(folder))
            runs: dict[str, list[Run]] = {one.short: [] for one in present}
            for number in range(options.rounds):
                first = number % len(present)
                for program in [*present[first:], *present[:first]]:
                    run = self._run(sandbox, program, load, Path(folder))
                    runs[program.short].append(run)
                    _say(f"  round {number + 1}  {contender(program.name, '', [run]).line()}")
        results = [contender(one.name, one.shown, runs[one.short]) for one in present]
        by_short = {one.short: result for one, result in zip(present, results, strict=True)}
        return [load, *results, *ratios(self.goals, by_short)]

    def _run(self, sandbox: Sandbox, program: Program, load: Load, folder: Path) -> Run:
        self._number += 1
        case = Case(
            sandbox=sandbox,
            topic=TOPIC,
            codec=self.recipe.codec,
            number=self._number,
            folder=folder,
        )
        topics.delete(sandbox.target, TOPIC, KFERRY_LEAVES, MIRROR_MAKER_LEAVES)
        topics.create(sandbox.target, TOPIC, load.partitions, topics.TARGET_CONFIGS)
        command = program.command(case)
        os.sync()  # nobody pays for what another one has left to write
        output = folder / f"{program.short}-{self._number}"
        with Measured(command, output=output) as process:
            watched = asyncio.run(_watch(process, case, load, ends=program.ends))
        arrived = topics.survey(sandbox.target, TOPIC)
        if arrived.records != load.records:
            raise RuntimeError(
                f"{program.name}: {arrived.records:,} records of {load.records:,} arrived\n"
                f"{process.last_words()}"
            )
        return {
            **watched,
            "records_per_second": load.records / watched["copying"],
            "mb_per_second": load.bytes / _MB / watched["copying"],
            "batches_on_target": arrived.batches,
            **_own_words(program, output),
        }


def ratios(goals: Sequence[Goal], found: Mapping[str, Contender]) -> list[Ratio]:
    """Hold the medians against the goals, as far as those took part that they are about."""
    made = []
    for goal in goals:
        named = [goal.top, *([goal.bottom] if goal.bottom else [])]
        if not all(who in found and number in found[who].medians for who, number in named):
            continue
        values = [found[who].medians[number] for who, number in named]
        value = values[0] / values[1] if goal.bottom else values[0]
        made.append(
            Ratio(what=goal.what, value=value, at_least=goal.at_least, at_most=goal.at_most)
        )
    return made


async def _watch(process: Measured, case: Case, load: Load, *, ends: bool) -> dict[str, float]:
    """Look at the target's end offsets until everything is there and, if it does, it has ended.

    What happened between two looks is taken to have happened in the middle between them. The first
    look that counts is the one with more than an offset per partition: kferry's fence is a marker
    in each.
    """
    name = TopicName(case.topic)
    partitions = [TopicPartition(name, PartitionId(number)) for number in range(load.partitions)]
    pause = max(_LOOK_S, load.partitions / _PARTITIONS_PER_SECOND)
    first = last = 0.0
    cpu_before = 0.0
    there, looked = 0, process.began
    async with open_cluster(load_properties(case.target.properties), topics.LIMITS) as cluster:
        await cluster.refresh([name])
        while True:
            usage = process.look()
            now_there, now = await topics.ends(cluster, partitions), time.perf_counter()
            if now_there != there:
                last = (looked + now) / 2
                if not first and now_there > load.partitions:
                    first, cpu_before = last, process.cpu_seconds
            elif now - max(last, process.began) > _STANDSTILL_S:
                raise RuntimeError(f"nothing moves any more\n{process.last_words()}")
            there, looked = now_there, now
            if usage is None and not ends and there >= load.records:
                usage = process.end(signal.SIGKILL)
            if usage is not None:
                break
            await asyncio.sleep(pause)
    if ends and usage.exit_code:
        raise RuntimeError(f"exit code {usage.exit_code}\n{process.last_words()}")
    return _numbers(usage, process.began, first, last, cpu_before, ends=ends)


def _numbers(
    usage: Usage, began: float, first: float, last: float, cpu_before: float, *, ends: bool
) -> dict[str, float]:
    return {
        "start_up": first - began,
        "copying": max(last - first, _LOOK_S),  # finer than a look nothing is seen
        **({"whole": usage.seconds} if ends else {"whole": last - began}),
        "cpu_seconds": usage.cpu_seconds,
        "cpu_seconds_copying": usage.cpu_seconds - cpu_before,
        "memory_mb": usage.memory_mb,
    }


def _own_words(program: Program, output: Path) -> dict[str, float]:
    """Add what a contender says of itself, for comparison."""
    if program.short not in {"ceiling", "kferry"}:
        return {}
    said = json.loads(output.read_text().splitlines()[-1])
    names = ("seconds", "cpu_seconds", "passthrough_batches", "reencoded_batches")
    return {f"own_{name}": float(said[name]) for name in names if name in said}


def _described(sandbox: Sandbox, recipe: loads.Recipe, scale: float) -> Load:
    found = topics.survey(sandbox.source, TOPIC)
    return Load(
        what=recipe.what,
        scale=scale,
        records=found.records,
        bytes=found.bytes,
        batches=found.batches,
        partitions=recipe.partitions,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
