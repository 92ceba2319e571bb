"""Every end of the process has its exit code and its words."""

import asyncio
import dataclasses
import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest

from kferry.cli import main as command_line
from kferry.cli.options import Options
from kferry.cli.status import copy_command
from kferry.cli.stopping import StoppedNow, stoppable
from kferry.config import Beginning, FromEnd, Since
from kferry.errors import ExitCode
from kferry.migration.requests import CopyRequest, CopyResult, Watch, Wish
from kferry.migration.status import Seen
from kferry.names import Address
from kferry.preflight import Report
from kferry.progress import Snapshot

COPY = ["copy", "--source", "a:1", "--target", "b:1", "--topic", "t"]
FILE = """\
version: 1
name: orders-2026
source: {bootstrap: "a:1"}
target: {bootstrap: "b:1"}
topics: {include: [orders*, pay], rename: {pay: paid}}
copy: {start: end, rate: 1MiB/s, on_gap: record, append: true}
ledger: {slots: 3}
"""
SNAPSHOT = Snapshot(
    migration="orders-2026",
    source_cluster="a",
    target_cluster="b",
    taken_at="2026-03-01T12:00:00+00:00",
    state="following",
)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[CopyRequest]:
    """What the engine is asked for; it answers at once."""
    heard: list[CopyRequest] = []

    async def copy(request: CopyRequest, *, watch: Watch, stop: asyncio.Event) -> CopyResult:
        heard.append(request)
        watch.narrate("settling 3 partitions")
        watch.snapshot(SNAPSHOT)
        return CopyResult(migration="orders-2026", exit_code=ExitCode.STOPPED_EARLY)

    monkeypatch.setattr("kferry.migration.copy", copy, raising=False)
    return heard


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["chek"], ExitCode.USAGE, "check"),
        (["check", "--bogus"], ExitCode.USAGE, "--bogus"),
        (["check", "--source"], ExitCode.USAGE, "--source"),
        (["sandbox", "up", "--brokers", "2"], ExitCode.USAGE, "--brokers"),
        (["check", "--source-config", "/nowhere"], ExitCode.USAGE, "/nowhere"),
        (["check", "-c", "/nowhere.yaml"], ExitCode.USAGE, "/nowhere.yaml"),
        (["copy"], ExitCode.USAGE, "no cluster was named"),
        (["copy", "--source", "a:1"], ExitCode.USAGE, "no target was named"),
        ([*COPY, "--since", "2026-03-01", "--from-end"], ExitCode.USAGE, "--since and --from-end"),
        ([*COPY, "--unconsumed", "--from-end"], ExitCode.USAGE, "exclude each other"),
        ([*COPY, "--since", "noon"], ExitCode.USAGE, "`noon` is not a time"),
        ([*COPY, "--rate", "50Mb/s"], ExitCode.USAGE, "`50Mb/s` is not a rate"),
        ([*COPY, "--complete"], ExitCode.USAGE, "--until-caught-up"),
        ([*COPY, "--live"], ExitCode.USAGE, "--unconsumed"),
        ([*COPY, "--map", "a"], ExitCode.USAGE, "OLD=NEW"),
        ([*COPY, "--map", "a=c", "--map", "b=c"], ExitCode.USAGE, "two topics the name `c`"),
        ([*COPY, "--map", "a=b", "--map", "a=c"], ExitCode.USAGE, "gives `a` two names"),
        ([*COPY, "--slots", "0"], ExitCode.USAGE, "--slots"),
        ([*COPY, "-m", "a b"], ExitCode.USAGE, "--migration"),
        ([*COPY, "--on-gap", "jump"], ExitCode.USAGE, "--on-gap"),
        (["status"], ExitCode.USAGE, "no target was named"),
        (["control", "pause"], ExitCode.USAGE, "no target was named"),
        (["control", "rate", "fast", "--target", "a:1"], ExitCode.USAGE, "`fast` is not a rate"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error_in_our_form(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: ExitCode, words: str
) -> None:
    assert command_line.run(arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("╷ error K1")
    assert words in shown.err
    assert "│ hint: " in shown.err


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (KeyboardInterrupt(), ExitCode.STOPPED_EARLY, "stopped"),
        (ZeroDivisionError("oops"), ExitCode.FAILED, "a bug of its own"),
    ],
)
def test_what_nobody_foresaw_still_ends_in_words(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    code: ExitCode,
    words: str,
) -> None:
    def fail(_: object) -> None:
        raise raised

    monkeypatch.setattr("kferry.cli.check.look", fail)
    assert command_line.run(["check"]) == code
    assert words in capsys.readouterr().err


def test_help_is_plain_text_that_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(
        f"  {name}: " in shown for name in ("check", "copy", "control", "status", "sandbox", "demo")
    )
    assert "╭" not in shown


def test_a_copy_from_flags_alone(
    capsys: pytest.CaptureFixture[str], requests: list[CopyRequest]
) -> None:
    flags = ["--since", "2026-03-01T12:00", "--rate", "2MiB/s", "--map", "t=u", "--until-caught-up"]
    assert command_line.run([*COPY, *flags]) == ExitCode.STOPPED_EARLY
    (request,) = requests
    assert request.source.bootstrap == (Address("a", 1),)
    assert (request.start, request.rate) == (Since(1772366400000), 2 << 20)
    assert request.mapping == {"t": "u"}
    assert (request.until_caught_up, request.migration, request.slots) == (True, None, 8)
    shown = capsys.readouterr()
    assert "taken as 2026-03-01 12:00 UTC" in shown.err
    assert "Ctrl-C stops at a safe point" in shown.err
    assert "settling 3 partitions" in shown.err
    assert shown.out.startswith("nothing to copy")
    assert shown.err.splitlines()[-1].startswith(
        "next: kferry copy --source a:1 --target b:1 --topic t --since 2026-03-01T12:00 --until-"
    )


def test_the_migration_file_is_found_and_flags_win_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: list[CopyRequest]
) -> None:
    (tmp_path / "kferry.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    command_line.run(["copy"])
    command_line.run(["copy", "--since", "2026-03-01", "--topic", "pay", "-m", "x", "--slots", "9"])
    command_line.run(["-c", "kferry.yaml", "copy", "--source", "c:1", "--on-gap", "stop"])
    first, second, third = requests
    assert (first.migration, first.start, first.rate) == ("orders-2026", FromEnd(), 1 << 20)
    assert (first.on_gap, first.append, first.slots) == ("record", True, 3)
    assert first.mapping == {"pay": "paid"}
    assert isinstance(second.start, Since)
    assert (second.migration, second.slots) == ("x", 9)
    assert second.selection.exact == {"pay"}
    assert third.source.bootstrap == (Address("c", 1),)
    assert third.target.bootstrap == (Address("b", 1),)
    assert third.on_gap == "stop"


def test_the_migration_file_is_left_alone_where_clusters_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: list[CopyRequest]
) -> None:
    (tmp_path / "kferry.yaml").write_text("not: one")
    monkeypatch.chdir(tmp_path)
    command_line.run(COPY)
    assert requests[0].start == Beginning()


def test_a_topic_outside_the_migration_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], requests: list[CopyRequest]
) -> None:
    (tmp_path / "m.yaml").write_text(FILE)
    options = ["-c", str(tmp_path / "m.yaml"), "--topic", "clicks"]
    assert command_line.run(["copy", *options]) == ExitCode.USAGE
    assert "clicks" in capsys.readouterr().err
    assert requests == []


def test_json_is_a_stream_whose_last_line_is_the_result(
    capsys: pytest.CaptureFixture[str], requests: list[CopyRequest]
) -> None:
    command_line.run([*COPY, "--json"])
    snapshot, result = map(json.loads, capsys.readouterr().out.splitlines())
    assert snapshot["state"] == "following"
    assert result["skipped"] == {"control": 0, "aborted": 0}


def test_the_listing_of_unconsumed_records_is_kept_in_a_text_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: list[CopyRequest]
) -> None:
    monkeypatch.chdir(tmp_path)
    command_line.run([*COPY, "--unconsumed"])
    (log,) = tmp_path.glob("kferry-unconsumed-*.log")
    assert log.read_text().splitlines()[0] == "settling 3 partitions"
    assert "nothing to copy" in log.read_text()


def test_the_command_after_a_dry_run_means_the_same_copy(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    requests: list[CopyRequest],
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = ["--unconsumed", "--map", "t=u", "--rate", "5 MB", "--until-caught-up"]
    command_line.run([*COPY, *flags, "--dry-run"])
    assert requests[0].dry_run
    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("next: ")]
    command_line.run(shlex.split(said.removeprefix("next: kferry ")))
    assert requests[1] == dataclasses.replace(requests[0], dry_run=False)


def test_status_and_control_ask_the_ledger(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: list[Wish] = []

    async def status(*_: object, **__: object) -> Seen:
        return Seen(snapshot=SNAPSHOT, documents={})

    async def control(*_: object, wish: Wish, **__: object) -> str:
        wishes.append(wish)
        return "orders-2026"

    for name, function in {"status": status, "control": control, "Wish": Wish}.items():
        monkeypatch.setattr(f"kferry.migration.{name}", function, raising=False)
    target: list[Any] = ["--target", "b:1"]
    assert command_line.run(["status", *target, "--json"]) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["migration"] == "orders-2026"
    assert command_line.run([*target, "control", "rate", "1KiB/s"]) == ExitCode.DONE
    command_line.run(["control", "rate", "off", *target])
    command_line.run(["control", "pause", *target])
    assert wishes == [Wish(kind="rate", value=1024), Wish(kind="rate"), Wish(kind="pause")]
    assert "at most 1.0 KiB/s" in capsys.readouterr().out


async def test_the_first_signal_asks_and_the_second_cancels() -> None:
    said: list[str] = []

    async def deaf(stop: asyncio.Event) -> None:
        await stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
    with pytest.raises(StoppedNow):
        await stoppable(deaf, say=said.append)
    assert said == ["stopping at a safe point; once more = now"]


async def test_work_that_stops_when_asked_gives_its_result() -> None:
    async def willing(stop: asyncio.Event) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        return "safe"

    assert await stoppable(willing, say=lambda _: None) == "safe"


def test_every_answer_names_a_next_command_that_means_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.yaml").write_text(FILE)

    async def check(_: object) -> Report:
        return Report(findings=(), unanswered=False)

    monkeypatch.setattr("kferry.cli.check.check", check)
    for given, expected in (
        (COPY[1:], "kferry copy --source a:1 --target b:1 --topic t --until-caught-up"),
        (COPY[1:5], "kferry copy --source a:1 --target b:1 --topic NAME --until-caught-up"),
        (COPY[1:3], "kferry inspect topics --source a:1, or kferry check with both sides"),
        (["-c", str(tmp_path / "m.yaml")], f"kferry copy -c {tmp_path}/m.yaml --until-caught-up"),
    ):
        assert command_line.run(["check", *given]) == ExitCode.DONE
        assert capsys.readouterr().err.splitlines()[-1] == f"next: {expected}"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(target="b:1"), "--target b:1 -m orders-2026 --source HOST:PORT --topic …"),
        (
            Options(source="a:1", target="b:1", migration="m", topic=("t",)),
            "-m m --source a:1 --target b:1 --topic t",
        ),
    ],
)
def test_status_names_the_copy_that_goes_on(options: Options, expected: str) -> None:
    assert copy_command(SNAPSHOT, options) == f"kferry copy {expected}"
