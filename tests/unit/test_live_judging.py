"""The judge of live traffic: loss, repeats and disorder planted in journals are found and named."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from kferry.sandbox.live.accounts import Accounts, next_numbers
from kferry.sandbox.live.interruption import interruption
from kferry.sandbox.live.journal import Journal, Place, Run, key_of
from kferry.sandbox.live.judging import LiveVerdict, judge
from kferry.sandbox.live.spec import Role

TOPIC = "live-1"
KEY = key_of("producer-1", TOPIC, 0)
SECOND = 1_000_000


class Stage:
    """Journals as clients would write them; every line a second after the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.alive: set[int] = set()
        self._runs = self._now = 0

    def life(self, client: str, side: str = "source", *, role: Role | None = None) -> Journal:
        self._runs += 1
        group = client.partition(".")[0] if "." in client else ""
        run = Run(
            client=client,
            role=role or (Role.CONSUMER if group else Role.PRODUCER),
            group=group,
            topics=(TOPIC,),
            side=side,
            cluster_id=f"the-{side}",
            number=self._runs,
        )
        return Journal(self.folder, run)

    def place(self, offset: int = 0) -> Place:
        self._now += 1
        return Place(TOPIC, 0, offset, self._now * SECOND)

    def send(self, numbers: Sequence[int], journal: Journal | None = None) -> Journal:
        journal = journal or self.life("producer-1")
        for number in numbers:
            journal.tried([(KEY, number)])
            journal.acknowledged([(KEY, number, self.place(100 + number))])
        return journal

    def see(
        self, numbers: Sequence[int], client: str = "group-1.1", side: str = "source"
    ) -> Journal:
        journal = self.life(client, side)
        for number in numbers:
            journal.seen([(KEY, number, self.place(100 + number))])
        return journal

    def judged(self) -> LiveVerdict:
        return judge(self.folder, lambda: self.alive, patience_s=0)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_what_every_group_saw_once_and_in_order_is_exact(stage: Stage) -> None:
    stage.send(range(10))
    stage.see(range(5))
    stage.see(range(5, 10), "group-1.2", "target")
    stage.see(range(10), "group-2.1")
    verdict = stage.judged()
    assert verdict.exact
    assert (verdict.sent, verdict.seen) == (10, 10)
    assert [(one.group, one.sent, one.seen) for one in verdict.groups] == [
        ("group-1", 10, 10),
        ("group-2", 10, 10),
    ]
    assert verdict.examples == ()


@pytest.mark.parametrize(
    ("seen", "lost", "behind", "repeated", "reordered"),
    [
        ([0, 1, 3, 4], 1, 0, 0, 0),
        ([0, 1, 2], 2, 2, 0, 0),
        ([], 5, 5, 0, 0),
        ([0, 1, 2, 2, 3, 4], 0, 0, 1, 0),
        ([0, 1, 2, 1, 2, 3, 4], 0, 0, 2, 0),
        ([0, 2, 1, 3, 4], 0, 0, 0, 1),
        ([1, 2, 3, 4, 0, 0], 0, 0, 1, 1),
    ],
)
def test_planted_trouble_is_counted_by_its_name(
    stage: Stage, seen: list[int], *, lost: int, behind: int, repeated: int, reordered: int
) -> None:
    stage.send(range(5))
    stage.see(range(5), "whole.1")
    stage.see(seen)
    verdict = stage.judged()
    found = (verdict.lost, verdict.groups[0].behind, verdict.repeated, verdict.reordered)
    assert found == (lost, behind, repeated, reordered)
    assert verdict.seen == 5 - lost
    assert not verdict.exact
    assert verdict.groups[0].group == "group-1"
    assert verdict.groups[1].exact
    for kind, count in (("lost", lost), ("repeated", repeated), ("reordered", reordered)):
        shown = [one for one in verdict.examples if one.fault == kind]
        assert bool(shown) == bool(count)
        assert {one.group for one in shown} <= {"group-1"}


def test_the_same_record_on_both_clusters_is_one_record(stage: Stage) -> None:
    stage.send(range(3))
    stage.see(range(3))
    stage.see([2], "group-1.1", "target")
    verdict = stage.judged()
    assert verdict.repeated == 1
    (example,) = verdict.examples
    assert (example.fault, example.key, example.number) == ("repeated", KEY, 2)
    told = [(place["what"], place["side"], place["offset"]) for place in example.places]
    assert told == [
        ("acknowledged", "source", 102),
        ("seen", "source", 102),
        ("seen", "target", 102),
    ]


def test_an_example_of_disorder_shows_the_later_number_first(stage: Stage) -> None:
    stage.send(range(3))
    stage.see([0, 2, 1])
    (example,) = stage.judged().examples
    assert example.number == 1
    assert [place["number"] for place in example.places] == [2, 2, 1, 1]


def test_what_a_killed_producer_never_heard_of_is_unknown_and_nobody_loses_it(
    stage: Stage,
) -> None:
    journal = stage.send(range(3))
    journal.tried([(KEY, 3), (KEY, 4)])
    stage.see(range(3))
    verdict = stage.judged()
    assert verdict.exact
    assert (verdict.sent, verdict.unknown, verdict.in_flight) == (3, 2, 0)
    stage.alive = {1}
    assert (stage.judged().unknown, stage.judged().in_flight) == (0, 2)


def test_an_unknown_record_that_one_group_saw_is_due_to_all(stage: Stage) -> None:
    journal = stage.send(range(3))
    journal.tried([(KEY, 3)])
    stage.see(range(4))
    stage.see(range(3), "group-2.1")
    verdict = stage.judged()
    assert [(one.group, one.lost) for one in verdict.groups] == [("group-1", 0), ("group-2", 1)]


def test_what_was_refused_or_aborted_is_not_due_and_aborted_records_must_not_be_seen(
    stage: Stage,
) -> None:
    journal = stage.send([0])
    journal.tried([(KEY, 1), (KEY, 2), (KEY, 3)])
    journal.failed(KEY, 1, "TOPIC_AUTHORIZATION_FAILED")
    journal.aborted([(KEY, 2), (KEY, 3)])
    stage.see([0])
    verdict = stage.judged()
    assert verdict.exact
    assert (verdict.failed, verdict.aborted, verdict.unknown) == (1, 2, 0)
    stage.see([2], "group-1.2")
    verdict = stage.judged()
    assert (verdict.aborted_seen, verdict.strange, verdict.exact) == (1, 0, False)


def test_a_record_that_nobody_sent_is_strange(stage: Stage) -> None:
    stage.send(range(2))
    stage.see([0, 1, 7])
    verdict = stage.judged()
    assert (verdict.strange, verdict.exact) == (1, False)


def test_groups_are_judged_by_the_topics_they_read(stage: Stage) -> None:
    stage.send(range(3))
    other = key_of("producer-1", "live-2", 0)
    journal = stage.life("producer-2")
    journal.tried([(other, 0)])
    journal.acknowledged([(other, 0, stage.place())])
    stage.see(range(3))
    verdict = stage.judged()
    assert verdict.exact
    assert (verdict.sent, verdict.groups[0].sent) == (4, 3)


def test_a_line_cut_short_by_a_kill_is_no_line_until_it_is_whole(stage: Stage) -> None:
    stage.send(range(2))
    journal = stage.life("producer-1")
    (file,) = (one for one in stage.folder.iterdir() if one.name.startswith("0002"))
    journal.tried([(KEY, 2)])
    with file.open("a") as torn:
        torn.write(f"ack {KEY} 2 {TOPIC} 0 1")
    accounts = Accounts(stage.folder)
    accounts.read_on()
    assert accounts.lives[1].unresolved == {(KEY, 2)}
    with file.open("a") as torn:
        torn.write("02 99\n")
    accounts.read_on()
    assert accounts.lives[1].acknowledged == {(KEY, 2)}


def test_a_producer_goes_on_behind_all_it_ever_handed_over(stage: Stage) -> None:
    journal = stage.send(range(3))
    journal.tried([(KEY, 3)])
    (file,) = stage.folder.iterdir()
    assert next_numbers({KEY: 0, "other": 8}, file) == {KEY: 4, "other": 8}
    assert next_numbers({KEY: 5}, stage.folder / "never") == {KEY: 5}


def test_the_judge_waits_for_a_running_group(stage: Stage) -> None:
    stage.send(range(3))
    slow = stage.see([0])
    asked = 0

    def alive() -> set[int]:
        nonlocal asked
        asked += 1
        if asked == 2:
            slow.seen([(KEY, 1, stage.place()), (KEY, 2, stage.place())])
        return {2}

    assert judge(stage.folder, alive, patience_s=60).exact
    assert asked > 2


def test_interruption_is_the_silence_around_a_move_and_the_longest_at_all() -> None:
    found = interruption([(0, "source"), (2 * SECOND, "source"), (3 * SECOND, "target")])
    assert (found.moving, found.overall) == (1_000, 2_000)
    assert interruption([]).overall == interruption([(5, "source")]).moving == 0


def test_the_verdict_tells_the_worst_interruption_of_each_side(stage: Stage) -> None:
    stage.send([0])
    stage.see([0])
    stage.send([1], stage.life("producer-1", "target"))
    stage.see([1], "group-1.1", "target")
    verdict = stage.judged()
    assert verdict.as_json()["interruption_ms"] == {
        "producers": 2_000,
        "consumers": 2_000,
        "overall": {"producers": 2_000, "consumers": 2_000},
    }
