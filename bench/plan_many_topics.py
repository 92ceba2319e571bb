"""Bringing a thousand topics of ten partitions to a target that has none of them.

Plan, apply and a plan with nothing left to do, beside the official tool and MirrorMaker 2's first
sync. kafka-topics makes one topic per process: some are made, and the time of all is worked out
from them. A KRaft controller refuses what makes more than 10,000 records of metadata at once, and
MirrorMaker 2 asks for everything at once: where it is refused, it is started for one half after the
other.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.contest import mirror_maker, topics
from bench.contest.case import Case
from bench.contest.contenders import KFERRY_LEAVES
from bench.contest.match import Goal, ratios
from bench.contest.options import Options
from bench.contest.results import Contender, Result, contender
from bench.contest.usage import Measured, Usage
from kferry.admin.configs import topic_configs
from kferry.config import load_properties
from kferry.config.properties import render_properties
from kferry.names import TopicName
from kferry.sandbox import Cluster, ClusterSpec, Sandbox, tool_command
from kferry.sandbox.load.confluent import AdminClient, NewTopic, client_settings
from kferry.wire import BrokerError, open_cluster

_TOPICS, _PARTITIONS, _AT_ONCE, _BY_TOOL = 1000, 10, 100, 20
_PREFIX = "bench-"
_CONFIGS: Mapping[str, str] = {
    "delete.retention.ms": "43200000",
    "retention.ms": "259200000",
    "segment.bytes": "268435456",
}
_WISHES = (
    *("--partitions", str(_PARTITIONS), "--replication-factor", "1"),
    *(word for key, value in _CONFIGS.items() for word in ("--config", f"{key}={value}")),
)
_TOOL = "org.apache.kafka.tools.TopicCommand"
_MM2_SETTINGS = "bench/contest/mirror_maker.py:settings with sync.topic.configs.enabled=true"
_REFUSED = "Could not create topic"
"""What MirrorMaker 2 logs."""
_DEADLINE_S = 600.0
_LOOK_S = 0.5

_GOALS = [
    Goal(
        what="MirrorMaker 2's first sync against `kferry apply`",
        top=("mm2", "all_done"),
        bottom=("apply", "all_done"),
    ),
    Goal(
        what="kafka-topics --create for all, worked out, against `kferry apply`",
        top=("create", "all_done"),
        bottom=("apply", "all_done"),
    ),
    Goal(
        what="kafka-topics --describe of the source alone against `kferry plan` of both",
        top=("describe", "all_done"),
        bottom=("plan", "all_done"),
    ),
]


@dataclass(slots=True)
class _Runs:
    """What was measured, by contender."""

    found: dict[str, list[Mapping[str, float]]] = field(default_factory=dict)

    def add(self, short: str, run: Mapping[str, float]) -> None:
        self.found.setdefault(short, []).append(run)
        print(f"  {contender(short, '', [run]).line()}", file=sys.stderr, flush=True)


def run(options: Options) -> Sequence[Result]:
    names = _names(options.scaled(_TOPICS, least=2))
    runs = _Runs()
    with (
        Sandbox.start(
            name=f"bench-{os.getpid()}",
            source=ClusterSpec(brokers=3, broker_defaults=True),
            target=ClusterSpec(
                brokers=3, broker_defaults=True, extra={"log.segment.delete.delay.ms": "1000"}
            ),
        ) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        _create(sandbox.source, names)
        case = Case(sandbox=sandbox, topic="", codec="none", number=0, folder=Path(folder))
        if options.takes_part("tools"):
            _tools(case, names, options.rounds, runs)
        for number in range(1, options.rounds + 1):
            case = replace(case, number=number * 10)
            if options.takes_part("kferry"):
                _kferry(case, names, runs)
                _clear(case.target)
            if options.takes_part("mm2"):
                runs.add("mm2", _mirror_maker_2(case, names))
                _clear(case.target)
    found = {short: _named(short, len(names), own) for short, own in runs.found.items()}
    return [*found.values(), *ratios(_GOALS, found)]


def _named(short: str, count: int, runs: Sequence[Mapping[str, float]]) -> Contender:
    size = f"{count:,} of {_PARTITIONS}"
    halves = any("refused_at_once" in one for one in runs)
    late = any(one.get("topics", count) < count for one in runs)
    tool = "kafka-topics --bootstrap-server"
    name, shown = {
        "plan": (f"kferry plan, {size}", "kferry plan --source A --target B --json"),
        "apply": (f"kferry apply, {size}", "kferry apply --source A --target B --yes --json"),
        "again": ("kferry plan, nothing to do", "kferry plan --source A --target B --json"),
        "describe": (f"kafka-topics --describe, source, {size}", f"{tool} A --describe"),
        "create": (
            f"kafka-topics --create, {size}, worked out from {min(_BY_TOOL, count)}",
            f"{tool} B --create --topic T {' '.join(_WISHES)}",
        ),
        "mm2": (
            f"MirrorMaker 2 4.3.1, first sync, {size}"
            + (", one half after the other: all at once is refused" if halves else "")
            + (", NOT DONE at the deadline" if late else ""),
            f"KAFKA_HEAP_OPTS={mirror_maker.HEAP} connect-mirror-maker.sh {_MM2_SETTINGS}",
        ),
    }[short]
    return contender(name, shown, runs)


def _kferry(case: Case, names: Sequence[str], runs: _Runs) -> None:
    """Plan, apply and plan again, on a target that has none of the topics."""
    run, told = _ours(case, "plan")
    _insist("plan", told, create=len(names))
    runs.add("plan", run)
    run, told = _ours(case, "apply", "--yes", "--quiet")
    _insist("apply", told, created=len(names), failed=0)
    runs.add("apply", run)
    run, told = _ours(case, "plan")
    _insist("plan again", told, create=0, change=0, same=len(names))
    runs.add("again", run)


def _ours(case: Case, verb: str, *more: str) -> tuple[dict[str, float], Mapping[str, object]]:
    """Run kferry as a whole process, its requests counted."""
    counts, output = case.folder / "requests", case.folder / verb
    where = ["--source", case.source.bootstrap, "--target", case.target.bootstrap]
    counting = [sys.executable, "-m", "bench.contest.counted", "--into", str(counts), "--"]
    usage = _run([*counting, verb, *where, "--json", *more], output)
    requests: dict[str, int] = json.loads(counts.read_text())
    measured = {
        **_numbers(usage),
        "requests": float(sum(requests.values())),
        "most_of_a_kind": float(max(requests.values())),
        **{f"requests_{kind}": float(count) for kind, count in sorted(requests.items())},
    }
    return measured, json.loads(output.read_text().splitlines()[-1])


def _insist(what: str, told: Mapping[str, object], **wanted: int) -> None:
    """A measurement of something else is none."""
    for key, count in wanted.items():
        listed = told[key]
        assert isinstance(listed, list)
        own = sum(one["kind"] == "topic" for one in listed)
        if own != count:
            raise RuntimeError(f"{what}: {own:,} topics in `{key}`, {count:,} expected")


def _tools(case: Case, names: Sequence[str], rounds: int, runs: _Runs) -> None:
    where = ("--bootstrap-server", case.source.bootstrap)
    for _ in range(rounds):
        command = tool_command(case.source, _TOOL, "--describe", *where)
        runs.add("describe", _numbers(_run(command, case.folder / "describe")))
    made = names[:_BY_TOOL]
    usages = [_run(_create_command(case.target, name), case.folder / "create") for name in made]
    share = len(names) / len(made)
    runs.add(
        "create",
        {
            "all_done": share * sum(one.seconds for one in usages),
            "cpu_seconds": share * sum(one.cpu_seconds for one in usages),
            "memory_mb": max(one.memory_mb for one in usages),
            "measured": sum(one.seconds for one in usages),
            "measured_topics": float(len(made)),
        },
    )
    _clear(case.target)


def _create_command(target: Cluster, name: str) -> list[str]:
    where = ("--bootstrap-server", target.bootstrap)
    return tool_command(target, _TOOL, "--create", "--topic", name, *_WISHES, *where)


def _mirror_maker_2(case: Case, names: Sequence[str]) -> dict[str, float]:
    whole = _first_sync(replace(case, topic=f"{_PREFIX}.*"), len(names))
    if whole is not None:
        return {**whole, "with_configs": float(_with_configs(case.target, names))}
    _clear(case.target)
    added: dict[str, float] = {}
    for number, half in enumerate("ab", start=1):
        own = [name for name in names if name.startswith(f"{_PREFIX}{half}-")]
        there = len(_there(case.target))
        half_case = replace(case, topic=f"{_PREFIX}{half}-.*", number=case.number + number)
        one = _first_sync(half_case, there + len(own))
        if one is None:
            raise RuntimeError("MirrorMaker 2: even half of the topics is refused")
        added = {
            "all_done": added.get("all_done", 0.0) + one["all_done"],
            "cpu_seconds": added.get("cpu_seconds", 0.0) + one["cpu_seconds"],
            "memory_mb": max(added.get("memory_mb", 0.0), one["memory_mb"]),
            "topics": one["topics"],
        }
    with_configs = float(_with_configs(case.target, names))
    return {**added, "refused_at_once": 1.0, "with_configs": with_configs}


def _first_sync(case: Case, wanted: int) -> dict[str, float] | None:
    """From its start until so many topics are there; None: the target refused them."""
    output = case.folder / f"mm2-{case.number}.out"
    with Measured(_mirror_command(case), output=output) as process:
        deadline = process.began + _DEADLINE_S
        while True:
            there, now = len(_there(case.target)), time.perf_counter()
            if there >= wanted or now > deadline:
                usage = process.end(signal.SIGKILL)
                took = {"all_done": now - process.began, "topics": float(there)}
                return {**_numbers(usage), **took}
            if _REFUSED in output.with_suffix(".err").read_text(errors="replace"):
                print(process.last_words(), file=sys.stderr)
                return None
            if process.look() is not None:
                raise RuntimeError(f"MirrorMaker 2 has ended\n{process.last_words()}")
            time.sleep(_LOOK_S)


def _mirror_command(case: Case) -> list[str]:
    """What it is started with elsewhere, and its config sync; the file is written anew."""
    command = mirror_maker.command(case)
    (file,) = (Path(word) for word in command if word.endswith(".properties") and "=" not in word)
    settings = mirror_maker.settings(case, 20)
    file.write_text(render_properties({**settings, "sync.topic.configs.enabled": "true"}))
    return command


def _with_configs(cluster: Cluster, names: Sequence[str]) -> int:
    """Count the topics that have all of the source's own settings."""

    async def ask() -> int:
        settings = load_properties(cluster.properties)
        async with open_cluster(settings, topics.LIMITS) as connected:
            found = await topic_configs(connected, map(TopicName, names))
        return sum(
            not isinstance(own, BrokerError)
            and all(own[key].value == value for key, value in _CONFIGS.items())
            for own in found.values()
        )

    return asyncio.run(ask())


def _names(count: int) -> list[str]:
    """Names that say which half they are of."""
    return [f"{_PREFIX}{'ab'[2 * number // count]}-{number:04}" for number in range(count)]


def _create(cluster: Cluster, names: Sequence[str]) -> None:
    admin = AdminClient(client_settings(cluster))
    for start in range(0, len(names), _AT_ONCE):
        wanted = [
            NewTopic(name, _PARTITIONS, 1, config=dict(_CONFIGS))
            for name in names[start : start + _AT_ONCE]
        ]
        for made in admin.create_topics(wanted, operation_timeout=60).values():
            made.result()


def _there(cluster: Cluster) -> list[str]:
    known: Iterable[str] = AdminClient(client_settings(cluster)).list_topics(timeout=60).topics
    return [name for name in known if name.startswith(_PREFIX)]


def _clear(target: Cluster) -> None:
    """Leave nothing, on disk either: nobody pays for what another one has left to remove."""
    topics.delete(target, _PREFIX, KFERRY_LEAVES, mirror_maker.LEAVES)
    deadline = time.monotonic() + _DEADLINE_S
    while any(any(node.data.glob("*-delete")) for node in target.layout.nodes):
        if time.monotonic() > deadline:
            raise RuntimeError("the target does not remove what was deleted")
        time.sleep(_LOOK_S)
    os.sync()


def _run(command: Sequence[str], output: Path) -> Usage:
    with Measured(command, output=output) as process:
        while (usage := process.look()) is None:
            time.sleep(0.01)
        if usage.exit_code:
            raise RuntimeError(f"exit code {usage.exit_code}\n{process.last_words()}")
    return usage


def _numbers(usage: Usage) -> dict[str, float]:
    return {
        "all_done": usage.seconds,
        "cpu_seconds": usage.cpu_seconds,
        "memory_mb": usage.memory_mb,
    }
