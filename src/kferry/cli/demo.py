"""`kferry demo`: a live workload moves to another cluster, narrated, and all of it away again."""

import secrets
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from kferry.cli.console import answer_json, fitted, say, styled
from kferry.cli.demo_command import DemoCommand, DemoCommandError
from kferry.cli.demo_shop import HISTORY, PARTITIONS, RECORDS, TRAFFIC, Outcome, make_folder
from kferry.cli.options import Options
from kferry.cli.sandbox_judge import verdict_lines
from kferry.cli.tidy_end import tidy_end
from kferry.errors import ExitCode
from kferry.sandbox import ClusterSpec, Live, Sandbox
from kferry.sandbox.numbered import Arrivals, read_numbered, write_numbered
from kferry.sandbox.verdict import judge
from kferry.sandbox.waiting import came_true

if TYPE_CHECKING:
    from kferry.migration.verify_values import VerifyResult

_SOURCE_VERSION = "2.8.2"
"""Old enough to be what people move away from."""
_COPY = "copy --until-caught-up --rate 2MiB/s"
"""Slow enough that people see it, and that it is not over before it is killed."""
_CUTOVER = "cutover --scheme mirror --silence 2s --yes"
_REPORT = "verified.json"
_VERIFY = f"verify --producers-moved --report {_REPORT}"
_AFTERWARDS = 600
"""Records that are sent on the target before anything is judged."""
_PATIENCE_S = 60.0


def run(*, options: Options | None = None) -> ExitCode:
    """Move a live workload between two real Kafka clusters, and count what became of it.

    Nothing is left behind: no process, no folder.
    """
    options = options or Options()
    began = time.monotonic()
    say("kferry demo: applications that never stop writing move to another Kafka cluster\n")
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
        outcome, verified = _move(sandbox)
        _whisper("stopping everything")
    seconds = time.monotonic() - began
    ok = outcome.exact and verified.exit_code is ExitCode.DONE
    if options.json:
        total = verified.total
        answer_json(
            {
                "ok": ok,
                **outcome.as_json(),
                "verified": {
                    "level": verified.level,
                    "same": total.same,
                    "differ": total.differ,
                    "only_source": total.only_source,
                    "only_target": total.only_target,
                    "expired_source": total.expired_source,
                },
                "seconds": round(seconds, 1),
            }
        )
    _tell(outcome, verified, ok=ok)
    say(f"\nthat took {seconds:.0f} s, and nothing is left of it")
    say("next: kferry sandbox up  (two clusters that stay; docs/guides/mirror.md goes on there)")
    return ExitCode.DONE if ok else ExitCode.FAILED


def _move(sandbox: Sandbox) -> "tuple[Outcome, VerifyResult]":
    folder = make_folder(sandbox)
    _whisper(f"{RECORDS:,} numbered records lie in {HISTORY} on the source")
    sent = write_numbered(sandbox.source, HISTORY, records=RECORDS, partitions=PARTITIONS)
    with Live.begin(sandbox, TRAFFIC) as live:
        _whisper(
            f"{len(live.producers)} producers, one of them transactional, go on writing "
            f"{TRAFFIC.rate:g} a second"
        )
        _whisper(f"{len(live.groups)} consumer groups read them; each keeps a journal of its own")
        _copy_and_kill(sandbox, folder)
        DemoCommand(folder, _COPY, "the same again").to_the_end()
        DemoCommand(folder, _CUTOVER).to_the_end()
        _insist_on_target(live)
        _whisper("producers and consumers go on, on the target")
        _until(lambda: _written(live, "target") >= _AFTERWARDS)
        # Imported here: what only the end needs shall not keep the beginning waiting.
        from kferry.migration.verify_report import read_report  # noqa: PLC0415

        DemoCommand(folder, _VERIFY).to_the_end()
        verified = read_report(folder / _REPORT)
        say()
        _whisper("clients that share no code with kferry are asked what they sent and saw")
        outcome = Outcome(
            history=judge(read_numbered(sandbox.target, HISTORY), sent), live=live.judge()
        )
    return outcome, verified


def _copy_and_kill(sandbox: Sandbox, folder: Path) -> None:
    copy = DemoCommand(folder, _COPY)
    with closing(Arrivals(sandbox.target, HISTORY)) as arrivals:
        copy.until(lambda: arrivals.count() > RECORDS // 4)
        copy.kill()
        _whisper(
            f"killed (SIGKILL) with {arrivals.count():,} of {RECORDS:,} numbered records on the "
            "target"
        )


def _insist_on_target(live: Live) -> None:
    if {one.side for one in live.running} != {"target"}:
        raise DemoCommandError(
            "the applications did not move",
            "what the cutover said stands above",
            hint="kferry demo tries again; a machine that is very busy may need it",
        )


def _written(live: Live, side: str) -> int:
    return sum(
        one.state.records for one in live.running if one.side == side and one.client.role.writes
    )


def _until(is_so: Callable[[], bool]) -> None:
    if not came_true(is_so, _PATIENCE_S):
        raise DemoCommandError(f"the traffic did not go on within {_PATIENCE_S:.0f} s")


def _tell(outcome: Outcome, verified: "VerifyResult", *, ok: bool) -> None:
    history, live = outcome.history, outcome.live
    say()
    for line in fitted(
        f"history: {history.sent:,} sent, {history.seen:,} arrived, {history.lost:,} lost, "
        f"{history.repeated:,} repeated, {history.reordered:,} out of order"
    ):
        say(line)
    say("written and read while all of it moved:")
    for line in verdict_lines(live):
        say(f"  {line}")
    total = verified.total
    for line in fitted(
        f"verified by {verified.level}: {total.same:,} records the same on both sides, "
        f"{total.differ + total.only_source + total.only_target:,} differ"
    ):
        say(line)
    say()
    word = styled("exactly once", "ok") if ok else styled("NOT exactly once", "error")
    pause = live.producers.moving, live.consumers.moving
    for line in fitted(
        f"{word}: {outcome.sum(lambda one: one.sent):,} numbered records, "
        f"{outcome.sum(lambda one: one.lost):,} lost, "
        f"{outcome.sum(lambda one: one.repeated):,} repeated, "
        f"{outcome.sum(lambda one: one.reordered):,} out of order; producers were silent for "
        f"{pause[0] / 1000:.1f} s, consumers for {pause[1] / 1000:.1f} s"
    ):
        say(line)


def _whisper(sentence: str) -> None:
    say(f"  … {sentence}")
