"""How progress and results of a copy look, for fixed snapshots."""

import dataclasses
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from kferry.cli.copy_result import next_line, result_json, result_lines
from kferry.cli.heartbeat import Heartbeat
from kferry.cli.largest import largest_lines
from kferry.cli.live import LiveBlock
from kferry.cli.options import Options
from kferry.cli.progress_lines import block, heartbeat, retention_lines, share, totals
from kferry.cli.status import next_line as status_next
from kferry.cli.status import status_lines
from kferry.errors import ExitCode
from kferry.migration.requests import Arrived, CopyResult
from kferry.names import TopicName
from kferry.progress import Gap, Snapshot, Stopped, Throttled, TopicProgress
from kferry.topics import PartitionFacts, TopicFacts

NOW = datetime(2026, 3, 1, 12, 0, 4, tzinfo=UTC)
STOPPED = Stopped(topic="clicks", partition=3, offset=123456, reason="bad checksum", code="K3")
GAP = Gap(topic="pay", partition=0, first=5, last=9, reason="trimmed on the source")


def topic(name: str, **changes: Any) -> TopicProgress:
    one = TopicProgress(
        source=name,
        target=name,
        partitions=3,
        copied=12_345_678,
        total=412_600_000,
        lag=400_254_322,
        records=1,
        bytes=2,
        rate=612_000.4,
        state="copying",
    )
    return dataclasses.replace(one, **changes)


def snapshot(**changes: Any) -> Snapshot:
    one = Snapshot(
        migration="orders-2026",
        source_cluster="5L6g",
        target_cluster="Xr2P",
        owner="host:42",
        taken_at="2026-03-01T12:00:00+00:00",
        state="copying",
        topics=(
            topic("orders"),
            topic("clicks", copied=10, rate=0.0, reason="partition 3 has no leader"),
            topic("done", state="done", copied=412_600_000, lag=0, rate=0.0),
            topic(
                "pay", target="pay-new", state="following", copied=99, total=100, lag=1, rate=3.2
            ),
        ),
        records_per_second=612_000,
        bytes_per_second=61_000_000,
        lag=400_254_322,
        copied=12_345_678,
        total=412_600_000,
        remaining_seconds=7800.0,
    )
    return dataclasses.replace(one, **changes)


def result(**changes: Any) -> CopyResult:
    one = CopyResult(
        migration="orders-2026",
        exit_code=ExitCode.DONE,
        records=12_345_678,
        bytes=2 << 30,
        batches=20_115,
        partitions=12,
        seconds=184.2,
        passthrough_batches=20_103,
        reencoded_batches=12,
        skipped_control=7,
        skipped_aborted=1,
        total_records=22_345_678,
    )
    return dataclasses.replace(one, **changes)


def test_a_block_tells_totals_reason_topics_and_trouble() -> None:
    lines = block(
        snapshot(
            limited_by="target",
            reason="broker 2 answers after 340 ms",
            rate_limit=50 << 20,
            throttled_ms=Throttled(source=1200),
            stopped=(STOPPED,),
            gaps=(GAP,),
        )
    )
    assert lines == [
        (
            "orders-2026  copying, 2.9 % of 412,600,000 offsets, 612,000 records/s, 58.2 MiB/s, "
            "2 h 10 min left"
        ),
        "  limited by the target: broker 2 answers after 340 ms",
        "  at most 50.0 MiB/s as asked",
        "  the source's quota made it wait 1.2 s so far",
        "",
        "  topic               copied           of      %  records/s          lag         left",
        "  clicks                  10  412,600,000    0.0          0  400,254,322            -",
        "      partition 3 has no leader",
        "  done           412,600,000  412,600,000  100.0          0            0         done",
        "  orders          12,345,678  412,600,000    2.9    612,000  400,254,322  10 min 54 s",
        "  pay → pay-new           99          100   99.0        3.2            1    following",
        "",
        "! stopped: clicks-3 at offset 123,456: bad checksum",
        "! gap: pay-0 5 to 9 (5 offsets): trimmed on the source",
    ]


def test_no_line_is_wider_than_a_hundred_columns() -> None:
    large = 2**63 - 1
    wide = topic("n" * 60, copied=large, total=large, lag=large, rate=9e6, reason="word " * 60)
    many = tuple(topic(f"{number}{'n' * 40}", lag=large) for number in range(9))
    shown = snapshot(
        migration="m" * 90,
        limited_by="words " * 30,
        reason="why " * 50,
        topics=(wide, *many),
        stopped=(dataclasses.replace(STOPPED, reason="word " * 50),) * 9,
        gaps=(dataclasses.replace(GAP, reason="word " * 50),) * 9,
        retention_suspended=("topic",) * 30,
    )
    lines = [*status_lines(shown, now=NOW), *heartbeat(shown)]
    assert max(map(len, lines)) <= 100
    assert "n" * 60 in "\n".join(lines)


def test_of_many_topics_the_ten_slowest_are_shown_and_the_others_counted() -> None:
    topics = tuple(
        topic(f"t{number:02}", lag=number * 1000, state="following" if number < 4 else "copying")
        for number in range(25)
    )
    stopped = topic("a-stopped", lag=0, state="stopped")
    lines = block(snapshot(topics=(*topics, stopped)))
    names = [line.split()[0] for line in lines[3:-1]]
    assert names == ["a-stopped", *(f"t{number}" for number in range(16, 25))]
    assert lines[-1] == "  and 16 more: 12 copying, 4 following"


def test_no_remaining_time_before_one_percent_nor_while_following() -> None:
    early = snapshot(copied=4_125_999, topics=(topic("a", copied=4_125_999),))
    assert "left" not in totals(early)
    assert block(early)[-1].endswith("  -")
    assert "left" in totals(snapshot(copied=4_126_000))
    assert "left" not in totals(snapshot(state="following"))
    assert "left" not in totals(snapshot(remaining_seconds=None))


def test_a_hundred_percent_is_said_only_of_all_of_it() -> None:
    assert share(999_999, 1_000_000) == "99.9 %"
    assert share(1_000_000, 1_000_000) == "100.0 %"
    assert share(0, 0) == "100.0 %"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"limited_by": "rate"}, "limited by the rate that was asked for"),
        ({"limited_by": "nothing", "reason": "waiting for new records"}, "waiting for new records"),
        ({"limited_by": "an under-replicated partition"}, "limited by an under-replicated"),
        ({"state": "paused"}, "`kferry control resume` lets it go on"),
    ],
)
def test_the_reason_is_always_told(changes: dict[str, str], words: str) -> None:
    assert words in "\n".join(block(snapshot(**changes)))
    beat = " ".join(map(str.strip, heartbeat(snapshot(**changes))))
    assert words in beat


def test_what_came_from_a_cluster_cannot_move_the_cursor() -> None:
    evil = "x\x1b[2J\ny"
    shown = snapshot(
        migration=evil,
        reason=evil,
        limited_by=evil,
        owner=evil,
        topics=(topic(evil, reason=evil),),
        stopped=(dataclasses.replace(STOPPED, topic=evil, reason=evil),),
        gaps=(dataclasses.replace(GAP, topic=evil, reason=evil),),
        retention_suspended=(evil,),
    )
    ended = result(
        listing=(evil,),
        notes=(evil,),
        arrived=(Arrived(group=evil, topic=evil, unconsumed=1, arrived=1),),
    )
    lines = [
        *status_lines(shown, now=NOW),
        *heartbeat(shown),
        *result_lines(ended, dry_run=False, again="kferry copy"),
    ]
    assert all(line.isprintable() for line in lines)


def test_without_a_terminal_there_is_a_line_every_ten_seconds_and_one_for_every_change() -> None:
    beat = Heartbeat()

    def at(second: int, **changes: Any) -> list[str]:
        return beat.lines(snapshot(taken_at=f"2026-03-01T12:00:{second:02}+00:00", **changes))

    assert at(0)[0].startswith(
        "12:00:00Z  copying, 2.9 % of 412,600,000 offsets, 612,000 records/s"
    )
    assert [at(second) for second in range(1, 9)] == [[]] * 8
    assert at(10)
    assert at(11, state="paused")[0].startswith("12:00:11Z  paused")
    assert at(12, state="paused") == []
    assert at(13, state="paused", stopped=(STOPPED,))[-1].startswith("! stopped: clicks-3")
    assert at(14, state="paused", stopped=(STOPPED,)) == []
    assert at(15, state="paused", stopped=(STOPPED,), gaps=(GAP,))[-1].startswith("! gap: pay-0")


def test_much_news_at_once_is_counted_not_listed() -> None:
    stopped = tuple(dataclasses.replace(STOPPED, partition=number) for number in range(2000))
    lines = Heartbeat().lines(snapshot(stopped=stopped))
    assert lines[-1] == "  and 1,990 more; the result names them"
    assert len(lines) < 15


def test_a_live_block_takes_back_what_it_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("LINES", "4")
    screen = io.StringIO()
    live = LiveBlock(screen)
    live.show(["a", "b" * 30, "c", "d"])
    assert screen.getvalue() == f"a\n{'b' * 9}\nc\n"
    live.above("said")
    assert screen.getvalue().endswith(f"\x1b[3A\x1b[Jsaid\na\n{'b' * 9}\nc\n")
    live.end()
    live.end()
    assert screen.getvalue().endswith("c\n\x1b[3A\x1b[J")


def test_status_tells_how_old_it_is_and_when_nobody_copies() -> None:
    fresh = status_lines(snapshot(), now=NOW)
    assert fresh[-1] == "as of 12:00:00Z, 4 s ago, copied by host:42"
    late = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
    assert status_lines(snapshot(), now=late)[-1].endswith(
        "5 min ago, copied by host:42: no sign of life since, so nobody may be copying now"
    )
    options = Options(target="b:1", migration="m x")
    assert "status --watch -m 'm x' --target b:1" in status_next(snapshot(), options, now=NOW)
    assert "kferry copy" in status_next(snapshot(), options, now=late)
    assert "control resume" in status_next(snapshot(state="paused"), options, now=NOW)
    assert "sign of life" not in status_lines(snapshot(state="done"), now=late)[-1]


def test_a_result_tells_what_was_done_what_was_left_out_and_what_waits() -> None:
    ended = result(
        notes=("1 open transaction on orders-0 was left out",),
        stopped=(STOPPED,),
        retention_suspended=("orders", "pay"),
        arrived=(Arrived(group="g", topic="t", unconsumed=76_522, arrived=76_522),),
    )
    assert result_lines(ended, dry_run=False, again="kferry copy -c x.yaml") == [
        "copied 12,345,678 records (2.0 GiB) of 12 partitions in 3 min 4 s, 67,023 records/s",
        "in all runs: 22,345,678 records",
        "20,103 of 20,115 batches went through as they were, 12 were encoded anew",
        "left out: 7 transaction markers, 1 aborted record",
        "",
        "  group  topic  unconsumed  arrived",
        "  g      t          76,522   76,522",
        "",
        "1 open transaction on orders-0 was left out",
        "! stopped: clicks-3 at offset 123,456: bad checksum",
        "retention is suspended on 2 target topics: orders, pay; this puts it back:",
        "  kferry copy -c x.yaml --until-caught-up --complete",
    ]


def test_a_copy_of_nothing_says_so() -> None:
    nothing = CopyResult(migration="m", exit_code=ExitCode.DONE, partitions=3, total_records=1204)
    assert result_lines(nothing, dry_run=False, again="kferry copy") == [
        "nothing to copy: 3 partitions looked at, 1,204 records in all runs"
    ]


def test_a_dry_run_shows_its_listing_alone() -> None:
    planned = result(listing=("Prepare to migrate", "  skip t-0: nothing unconsumed"))
    lines = result_lines(planned, dry_run=True, again="kferry copy")
    assert lines == ["Prepare to migrate", "  skip t-0: nothing unconsumed"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "next: kferry status"),
        ({"exit_code": ExitCode.STOPPED_EARLY}, "goes on where this one stopped"),
        ({"stopped": (STOPPED,)}, "mend what stopped"),
    ],
)
def test_the_last_line_is_what_to_do_next(changes: dict[str, Any], words: str) -> None:
    line = next_line(result(**changes), dry_run=False, again="kferry copy", status="kferry status")
    assert words in line


def test_the_keys_that_scripts_rely_on() -> None:
    told = result_json(result(gaps=(GAP,)))
    contract = {
        "records": 12_345_678,
        "bytes": 2 << 30,
        "batches": 20_115,
        "partitions": 12,
        "seconds": 184.2,
        "passthrough_batches": 20_103,
        "reencoded_batches": 12,
        "skipped": {"control": 7, "aborted": 1},
        "gaps": [dataclasses.asdict(GAP)],
        "total_records": 22_345_678,
    }
    assert {key: told[key] for key in contract} == contract


def test_many_suspended_topics_are_counted() -> None:
    first, *_ = retention_lines([f"t{number}" for number in range(9)], "kferry copy")
    assert first.endswith("9 target topics: t0, t1, t2, t3, t4 and 4 more; this puts it back:")
    assert retention_lines((), "kferry copy") == []


def test_the_largest_topics_are_listed_by_what_is_known() -> None:
    def facts(name: str, bytes_: int | None, end: int | None) -> TopicFacts:
        partition = PartitionFacts(
            partition=0, leader=1, replicas=(1,), in_sync=(1,), start=0, end=end, bytes=bytes_,
            records_per_second=None, newest_ms=None,
        )  # fmt: skip
        return TopicFacts(
            name=TopicName(name), id=None, internal=False, cleanup_policy=None, set_configs=None,
            partitions=(partition,),
        )  # fmt: skip

    assert largest_lines([facts("orders", 3 << 30, 1_204_332), facts("pay", None, None)]) == [
        "  orders     3.0 GiB        1,204,332 records",
        "  pay         size ?                ? records",
    ]
