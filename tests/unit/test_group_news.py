"""`groups sync --follow` says what happens, and nothing when nothing does."""

from kferry.admin.group_members import GroupType
from kferry.cli.group_news import News
from kferry.groups import Answer, GroupFacts, Move, Standing, Step, There
from kferry.migration.group_follow import Round
from kferry.migration.group_look import Shown
from kferry.names import Address, GroupId, PartitionId, TopicName
from kferry.wire import Unreachable
from kferry.wire.errors import Stage

ACTIVE = "the group is active on the target (wine at b): it is not moved"
BEHIND = "not yet: copied to 5, 3 before it"


def move(step: Step, *, group: str = "billing", partition: int = 0, reason: str = "") -> Move:
    standing = Standing(
        group=GroupId(group),
        topic=TopicName("orders"),
        partition=PartitionId(partition),
        source_offset=1_008,
        lag=7,
        answer=Answer.KNOWN,
        reason=reason,
        target_offset=None if step is Step.WAITS else 1_000,
        exact=True,
    )
    return Move(standing=standing, step=step, reason=reason)


def a_round(*moves: Move) -> Round:
    facts = GroupFacts(
        id=GroupId(""),
        type=GroupType.CLASSIC,
        protocol="consumer",
        state="Stable",
        coordinator=1,
        members=(),
        positions=(),
    )
    states = {one.standing.group: (facts, There()) for one in moves}
    return Round(shown=Shown(migration="m", moves=moves, gaps=(), states=states))


def said(news: News, found: Round, now: float = 0.0) -> list[str]:
    return news.of(found, now=now)[0]


def test_the_first_round_is_added_up_and_later_ones_speak_of_what_moved() -> None:
    news = News()
    (first,) = said(news, a_round(move(Step.SET), move(Step.SAME, partition=1)))
    assert first.startswith("1 group, 2 positions: 1 set, 1 there already")
    assert said(news, Round()) == []
    assert said(news, a_round(move(Step.SAME), move(Step.SAME, partition=1))) == []
    assert said(news, a_round(move(Step.SET))) == [
        "billing: orders-0 at 1,008 on the source is 1,000"
    ]
    both = a_round(move(Step.SET), move(Step.SET, partition=1))
    assert said(news, both) == ["billing: 2 positions set, lag 14"]
    assert [one.step for one in news.moves] == [Step.SET, Step.SET]


def test_a_group_that_is_not_moved_is_said_once() -> None:
    news = News()
    said(news, a_round(move(Step.SAME)))
    active = a_round(move(Step.ACTIVE, reason=ACTIVE))
    assert said(news, active) == [f"billing: 1 position not set: {ACTIVE}"]
    assert said(news, active) == []


def test_of_many_groups_there_is_one_line() -> None:
    news = News()
    said(news, a_round(move(Step.SAME, group="other")))
    (line,) = said(news, a_round(*(move(Step.SET, group=f"g{n}") for n in range(40))))
    assert line.startswith("40 groups, 40 positions: 40 set")


def test_what_is_not_copied_is_said_once_it_lasts() -> None:
    news = News()
    waits = a_round(move(Step.WAITS, reason=BEHIND))
    said(news, a_round(move(Step.SAME)))
    assert said(news, waits, now=10.0) == []
    assert said(news, waits, now=15.0) == []
    (line,) = said(news, Round(), now=40.0)
    assert "1 position not copied" in line
    assert BEHIND in line
    assert said(news, waits, now=50.0) == []
    assert said(news, a_round(move(Step.SAME)), now=60.0) == []
    assert said(news, waits, now=70.0) == []
    assert said(news, waits, now=101.0) == [line]


def test_a_cluster_that_is_away_is_said_once_and_so_is_its_return() -> None:
    news = News()
    said(news, a_round(move(Step.SAME)))
    away = Round(trouble=Unreachable(Address("a", 9092), Stage.TCP, "refused", hint=""))
    (line,) = said(news, away, now=1.0)
    assert "cannot reach a:9092" in line
    assert said(news, away, now=6.0) == []
    assert said(news, away, now=400.0) == [line]
    assert said(news, Round(), now=405.0) == ["both clusters answer again"]
    assert said(news, away, now=410.0) == [line]
