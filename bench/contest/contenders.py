"""Who takes part: how each is started, and what it leaves behind.

Owns the command lines. Measures nothing.
"""

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.contest import mirror_maker
from bench.contest.case import Case
from bench.record import KFERRY
from kferry.sandbox import Cluster, Security

KFERRY_LEAVES = "__kferry."


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One contender."""

    short: str
    name: str
    shown: str
    """The command, as a reader would type it."""
    command: Callable[[Case], list[str]]
    ends: bool = True
    """Whether it ends by itself when everything is there."""


def kferry(*more: str) -> Program:
    """Ours. Every run is a migration of its own, with a new ledger."""
    options = " ".join(["--until-caught-up", *more])
    return Program(
        short="kferry",
        name="kferry",
        shown=f"kferry copy --source A --target B --topic T {options} --yes --json",
        command=lambda case: [*kferry_copy(case), *options.split()],
    )


def following_kferry() -> Program:
    """Ours, until it is told to stop."""
    return Program(
        short="kferry",
        name="kferry",
        shown="kferry copy --source A --target B --topic T --yes --json",
        command=kferry_copy,
        ends=False,
    )


def far(milliseconds: int) -> Program:
    """Ours, with the target so many milliseconds away, there and back."""

    def command(case: Case) -> list[str]:
        there = ["--target", str(case.target.properties), "--milliseconds", str(milliseconds)]
        copy = [KFERRY, "copy", *_named("source", case.source), *_what(case), "--until-caught-up"]
        return [sys.executable, "-m", "bench.contest.far", *there, "--", *copy]

    return Program(
        short=f"far-{milliseconds}",
        name=f"kferry, {milliseconds} ms away",
        shown=f"python -m bench.contest.far --milliseconds {milliseconds} -- kferry copy …",
        command=command,
    )


def renamed(program: Program, name: str) -> Program:
    """Return the same under another name."""
    return replace(program, name=name)


def kferry_copy(case: Case) -> list[str]:
    """Return the command that copies and follows."""
    both = [*_named("source", case.source), *_named("target", case.target)]
    return [KFERRY, "copy", *both, *_what(case)]


def _what(case: Case) -> list[str]:
    migration = f"bench-{case.number}"
    return ["--topic", case.topic, "--migration", migration, "--yes", "--json"]


def mirror_maker_2(*, linger_ms: int = 20) -> Program:
    """The peer that everybody knows, tuned."""
    return Program(
        short="mm2",
        name="MirrorMaker 2 4.3.1",
        shown=f"KAFKA_HEAP_OPTS={mirror_maker.HEAP} connect-mirror-maker.sh "
        f"bench/contest/mirror_maker.py:settings (linger {linger_ms} ms)",
        command=lambda case: mirror_maker.command(case, linger_ms=linger_ms),
        ends=False,
    )


def confluent_loop() -> Program:
    """A loop over confluent-kafka."""
    return Program(
        short="loop",
        name="confluent-kafka loop",
        shown="python -m bench.contest.loop",
        command=lambda case: [
            *(sys.executable, "-m", "bench.contest.loop", "--sandbox", case.sandbox.name),
            *("--topic", case.topic, "--codec", case.codec),
        ],
    )


def ceiling() -> Program:
    """The target's own limit."""
    return Program(
        short="ceiling",
        name="ceiling",
        shown="python -m bench.ceiling",
        command=lambda case: [
            *(sys.executable, "-m", "bench.ceiling", "--topic", case.topic),
            *("--source", str(case.source.properties), "--target", str(case.target.properties)),
        ],
    )


def kcat() -> Program | None:
    """A pipe of two kcats, where it is installed. Loses headers, timestamps and partitions."""
    found = shutil.which("kcat")
    if found is None:
        return None

    def command(case: Case) -> list[str]:
        read = [found, "-C", "-b", case.source.bootstrap, "-t", case.topic, "-e", "-q"]
        write = [found, "-P", "-b", case.target.bootstrap, "-t", case.topic, "-z", case.codec]
        # A separator that the loads' noise hardly ever holds; -K would need another one.
        split = ["-D", "\\x1e\\x1f\\x1e\\x1f"]
        pipe = " | ".join(shlex.join([*side, *split]) for side in (read, write))
        return ["sh", "-c", pipe]

    return Program(short="kcat", name="kcat pipe", shown="kcat -C … | kcat -P …", command=command)


def everybody() -> list[Program | None]:
    """Return all who take part in the plain contests."""
    return [kferry(), mirror_maker_2(), confluent_loop(), kcat(), ceiling()]


def _named(side: str, cluster: Cluster) -> list[str]:
    if cluster.layout.spec.security is Security.PLAINTEXT:
        return [f"--{side}", cluster.bootstrap]
    return [f"--{side}-config", str(cluster.properties)]
