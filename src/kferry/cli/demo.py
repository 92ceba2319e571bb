"""`kferry demo`: the whole story on two clusters of its own, narrated, and away again."""

import dataclasses
import secrets
import shlex
import time
from contextlib import closing

from kferry.cli.check import look, show
from kferry.cli.console import answer_json, say
from kferry.cli.demo_copy import DemoCopy
from kferry.cli.inspect.topics import topics
from kferry.cli.options import Options
from kferry.cli.tidy_end import tidy_end
from kferry.errors import ExitCode
from kferry.sandbox import Cluster, ClusterSpec, Sandbox
from kferry.sandbox.load import Scale, choose, load
from kferry.sandbox.numbered import Arrivals, read_numbered, write_numbered
from kferry.sandbox.verdict import Verdict, judge

_SOURCE_VERSION = "2.8.2"
"""Old enough to be what people move away from."""
_SHAPES = ("json-lz4", "compacted", "transactions", "groups")
_NUMBERED = "orders"
_RECORDS, _PARTITIONS = 30_000, 6
_COPY = ("--topic", _NUMBERED, "--topic", "load-*", "--until-caught-up", "--rate", "2MiB/s")
"""Slow enough that people see it, and that it is not over before it is killed."""


def run(*, options: Options | None = None) -> ExitCode:
    """Start two real Kafka clusters, copy one to the other, kill the copy, go on, and judge it.

    Nothing is left behind: no process, no folder.
    """
    options = options or Options()
    began = time.monotonic()
    say("kferry demo: two real Kafka clusters on this machine, and a copy that is killed between\n")
    with (
        tidy_end(),
        Sandbox.start(
            name=f"demo-{secrets.token_hex(3)}",
            source=ClusterSpec(version=_SOURCE_VERSION),
            target=ClusterSpec(),
            narrate=_whisper,
        ) as sandbox,
    ):
        _whisper(f"both answer after {time.monotonic() - began:.1f} s")
        sent, others = _fill(sandbox.source)
        fit = _look(sandbox, options)
        _copy_and_kill(sandbox, len(sent))
        _copy_the_rest(sandbox)
        verdict = judge(read_numbered(sandbox.target, _NUMBERED), sent)
        _tell(verdict)
        _whisper("stopping both clusters")
    seconds = time.monotonic() - began
    ok = fit and verdict.exact
    if options.json:
        counts = dataclasses.asdict(verdict)
        records = len(sent) + others
        answer_json({"ok": ok, "records": records, **counts, "seconds": round(seconds, 1)})
    say(f"\nthat took {seconds:.0f} s, and nothing is left of it")
    say("next: kferry sandbox up  (two clusters that stay, to try it yourself)")
    return ExitCode.DONE if ok else ExitCode.FAILED


def _fill(cluster: Cluster) -> tuple[range, int]:
    """Put records into the source: numbered ones, and shapes that are hard to copy."""
    _whisper(f"writing {_RECORDS:,} numbered records to `{_NUMBERED}`, {_PARTITIONS} partitions")
    sent = write_numbered(cluster, _NUMBERED, records=_RECORDS, partitions=_PARTITIONS)
    _whisper(f"and what real clusters hold: {', '.join(_SHAPES)}")
    shapes = load(cluster, choose(_SHAPES), seed=1, scale=Scale.SMALL)
    return sent, sum(one.records for one in shapes)


def _look(sandbox: Sandbox, options: Options) -> bool:
    both = Options(source=sandbox.source.bootstrap, target=sandbox.target.bootstrap)
    if not options.json:
        say(f"\n$ kferry inspect topics --source {both.source}")
        topics(options=Options(source=both.source), rate_seconds=0)
    say(f"\n$ kferry check{both.again()}")
    report, request = look(both)
    if not options.json:
        show(report, request, dataclasses.replace(options, quiet=True))
    return report.ok


def _copy_and_kill(sandbox: Sandbox, records: int) -> None:
    arguments = _announced(sandbox)
    copy = DemoCopy(sandbox.target.layout.folder / "copy", arguments)
    with closing(Arrivals(sandbox.target, _NUMBERED)) as arrivals:
        copy.until(lambda: arrivals.count() > records // 4)
        copy.kill()
        _whisper(
            f"killed (SIGKILL) with {arrivals.count():,} of {records:,} numbered records on the "
            "target"
        )


def _copy_the_rest(sandbox: Sandbox) -> None:
    arguments = _announced(sandbox, "  # the same again")
    DemoCopy(sandbox.target.layout.folder / "copy", arguments).to_the_end()


def _announced(sandbox: Sandbox, remark: str = "") -> list[str]:
    """Show a command line, and return its arguments."""
    sides = ["--source", sandbox.source.bootstrap, "--target", sandbox.target.bootstrap]
    say(f"\n$ kferry copy {shlex.join(sides)} \\")
    say(f"    {shlex.join(_COPY)}{remark}")
    return [*sides, *_COPY]


def _tell(verdict: Verdict) -> None:
    say()
    _whisper(f"an independent client (confluent-kafka) reads all of `{_NUMBERED}` on the target")
    word = "exactly once" if verdict.exact else "NOT exactly once"
    say(
        f"\n{word}: {verdict.sent:,} sent, {verdict.seen:,} arrived, {verdict.lost:,} lost, "
        f"{verdict.repeated:,} repeated, {verdict.reordered:,} out of order\n"
    )
    for kind, numbers in verdict.examples.items():
        say(f"  {kind}: {', '.join(map(str, numbers))} …")


def _whisper(sentence: str) -> None:
    say(f"  … {sentence}")
