"""What `groups` and `offsets` show and answer, without a cluster."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from kferry.admin.group_members import GroupType
from kferry.cli import main as command_line
from kferry.cli.console import WIDTH
from kferry.cli.group_lines import move_json, shown_lines, undone_lines
from kferry.cli.groups import exit_code
from kferry.errors import ExitCode
from kferry.groups import Answer, GroupFacts, Move, Standing, Step, There
from kferry.migration.group_images import Image
from kferry.migration.group_look import Shown
from kferry.migration.group_undo import TakenBack
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition

BILLING = GroupId("billing")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REASONS: Mapping[Step, str] = {
    Step.SET: "the very record",
    Step.SAME: "the very record",
    Step.WAITS: "not yet: copied to 4,096,000, 12 before it",
    Step.ACTIVE: "the group is active on the target (wine at 10.0.0.7): it is not moved",
    Step.LEFT: "this topic is not part of the migration",
}


def move(step: Step, *, partition: int = 0) -> Move:
    known = step in {Step.SET, Step.SAME, Step.ACTIVE}
    standing = Standing(
        group=BILLING,
        topic=TopicName("payments.settled.by-currency-and-region.v2"),
        partition=PartitionId(partition),
        source_offset=4_096_012,
        lag=1_204,
        answer=Answer.KNOWN if known else Answer.WAITS,
        reason=REASONS[step],
        target_topic=TopicName("payments"),
        target_offset=4_095_871 if known else None,
        exact=known,
    )
    return Move(standing=standing, step=step, reason=REASONS[step], committed=None)


def shown(*moves: Move) -> Shown:
    here = GroupFacts(
        id=BILLING,
        type=GroupType.CLASSIC,
        protocol="consumer",
        state="Stable",
        coordinator=1,
        members=(),
        positions=(),
    )
    return Shown(migration="m", moves=moves, gaps=(), states={BILLING: (here, There())})


def test_every_position_has_its_numbers_and_what_needs_a_word_has_one() -> None:
    lines = shown_lines(shown(*(move(step, partition=n) for n, step in enumerate(REASONS))))
    text = "\n".join(lines)
    assert lines[0] == "billing · Stable on the source · not there on the target"
    assert text.count("4,095,871") == 3
    assert text.count("exact") == 2
    for step in (Step.WAITS, Step.ACTIVE, Step.LEFT):
        assert REASONS[step] in text
    assert " ".join(map(str.strip, lines)).endswith(
        "1 group, 5 positions: 1 to set, 1 there already, 1 active, 1 not yet, 1 cannot move; "
        "0 records read again, 0 skipped"
    )
    assert max(map(len, lines)) <= WIDTH


def test_of_very_many_positions_only_those_that_need_a_word_are_listed() -> None:
    usual = [move(Step.SET, partition=number) for number in range(300)]
    lines = shown_lines(shown(*usual, move(Step.LEFT, partition=300)))
    assert len(lines) < 12
    assert "300 more positions; --json lists every one" in lines
    assert any(REASONS[Step.LEFT] in line for line in lines)
    assert len(shown_lines(shown(*usual[:20]))) > 20


def test_scripts_find_what_the_contract_names() -> None:
    row = move_json(move(Step.SET))
    named = [
        "group",
        "topic",
        "partition",
        "source_offset",
        "target_offset",
        "exact",
        "lag",
        "reason",
    ]
    assert list(row)[: len(named)] == named


def test_what_was_taken_back_is_said_for_each_position() -> None:
    place = TopicPartition(TopicName("payments"), PartitionId(3))
    image = Image(group=BILLING, place=place, before=None, metadata="", ours=(5,), at=NOW)
    (_, line) = undone_lines(
        [TakenBack(image=image, step=Step.SET, reason="back to no position", committed=5)]
    )
    assert line.split() == ["billing", "payments", "3", "5", "-", "back", "to", "no", "position"]
    assert undone_lines([]) == ["kferry has set no positions here"]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([], ExitCode.DONE),
        ([Step.SET, Step.SAME, Step.AHEAD, Step.LEFT], ExitCode.DONE),
        ([Step.SET, Step.WAITS], ExitCode.STOPPED_EARLY),
        ([Step.ACTIVE, Step.WAITS], ExitCode.REFUSED),
        ([Step.FAILED, Step.ACTIVE], ExitCode.FAILED),
    ],
)
def test_the_worst_position_is_the_exit_code(steps: list[Step], code: ExitCode) -> None:
    assert exit_code(steps) is code


@pytest.mark.parametrize(
    "arguments",
    [
        ["groups", "show", "--target", "b:1"],
        ["groups", "sync", "--source", "a:1"],
        ["groups", "sync", "--undo", "--source", "a:1"],
        ["offsets", "translate", "--target", "b:1"],
        ["offsets", "translate", "orders:0", "--target", "b:1"],
        ["offsets", "translate", "orders:0:-5", "--target", "b:1"],
        ["offsets", "translate", "--offset", "5", "--target", "b:1"],
        ["offsets", "translate", "orders:0:5"],
    ],
)
def test_what_cannot_be_meant_is_told_before_any_cluster_is_asked(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.run(arguments) == ExitCode.USAGE
    assert "hint: kferry " in capsys.readouterr().err
