"""The way back of compacted topics, while the source's cleaner goes over what comes back."""

import subprocess
import uuid
from contextlib import closing, suppress
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from copying import ended, kferry, sides
from judge import client_config
from judging import read_all
from mixing import KINDS, Mix
from positions_matrix import committed
from switching import Walk

from kferry.sandbox import Cluster, Sandbox

_COMPACTED = {name: kind for name, kind in KINDS.items() if kind.compacted}
_WALK = ("--yes", "--json", "--silence", "1s", "--producers-stopped", "--patience", "90s")


def stand(cluster: Cluster, group: str, places: dict[tuple[str, int], int]) -> None:
    """Commit for a group that nobody is a member of."""
    with closing(Consumer({**client_config(cluster.properties), "group.id": group})) as one:
        offsets = [TopicPartition(*place, offset) for place, offset in places.items()]
        one.commit(offsets=offsets, asynchronous=False)


class Reader:
    """A group that has read all below some record of every partition."""

    def __init__(self, mix: Mix, name: str) -> None:
        self.mix, self.group = mix, f"{mix.prefix}-{name}"
        self.read: dict[tuple[str, int], int] = {}
        """How many of all that was ever written it has behind it."""

    def stand(self, cluster: Cluster, share: float) -> None:
        """Commit at a record that is there, about so far into each log."""
        places = {}
        for topic, written in self.mix.committed.items():
            order = [[one.content for one in own] for _, own in sorted(written.items())]
            for partition, found in read_all(cluster, topic).items():
                one = found[int(len(found) * share)]
                places[topic, partition] = one.offset
                self.read[topic, partition] = order[partition].index(one.content)
        stand(cluster, self.group, places)

    def insist(self, cluster: Cluster) -> None:
        """Insist that behind its positions lies what it had not read, and before them what it had.

        Nothing is skipped and nothing comes again, whatever the cleaner has taken.
        """
        at = committed(cluster, self.group, list(self.read))
        assert at.keys() == self.read.keys(), (self.group, at)
        for (topic, partition), count in self.read.items():
            written = [one.content for one in self.mix.committed[topic][partition]]
            order = {content: number for number, content in enumerate(written)}
            for one in read_all(cluster, topic)[partition]:
                behind = order[one.content] >= count
                assert behind == (one.offset >= at[topic, partition]), (
                    self.group, topic, partition, at[topic, partition], one.offset,
                )  # fmt: skip


def _walk_back(told: tuple[str, ...], folder: Path, kills: tuple[str, ...]) -> Walk | None:
    """Walk up to the hand-over; None: it was refused, and given up.

    That may be where the cleaner took of what came back before it was known how much that was.
    """
    for step in (*kills, "hand-over"):
        walk = Walk(kferry("rollback", *told, cwd=folder))
        if not walk.reaches("hand" if step == "hand-over" else "step", step):
            refused = walk.ended()
            assert kills, refused.said
            assert refused.code == 5, refused.said
            assert "cannot go on" in refused.said
            assert "then kferry rollback goes on" in refused.said
            given_up = ended(kferry("rollback", "--give-up", *told, cwd=folder))
            assert given_up.code == 0, given_up.said
            return None
        if step == "hand-over":
            return walk
        with suppress(subprocess.TimeoutExpired):
            walk.wait(seconds=0.7)  # not for anything: the moment itself
        walk.kill()
    raise AssertionError


@pytest.mark.long
@pytest.mark.parametrize("killed", [False, True], ids=["at once", "killed on its way"])
def test_records_and_positions_come_back_exactly_while_the_cleaner_runs(
    plain: Sandbox, tmp_path: Path, *, killed: bool
) -> None:
    mix = Mix(
        cluster=plain.source,
        prefix=f"returns-{uuid.uuid4().hex[:8]}",
        seed=11,
        kinds=_COMPACTED,
    )
    mix.create()
    mix.write(3000)
    mix.clean()
    lagging, ahead, done_ = (Reader(mix, name) for name in ("lagging", "ahead", "done"))
    lagging.stand(plain.source, 0.3)
    ahead.stand(plain.source, 0.9)
    told = (*sides(plain), "-m", mix.prefix, *_WALK)
    for _ in range(2):
        there = ("--scheme", "mirror", "--topic", f"{mix.prefix}-*")
        walk = Walk(kferry("cutover", *told, *there, cwd=tmp_path))
        walk.until("hand", "hand-over")
        mix.cluster = plain.target
        mix.write(2000)
        done = walk.ended()
        assert done.code == 0, done.said
        for reader in (lagging, ahead):
            reader.insist(plain.target)
        ahead.stand(plain.target, 0.95)
        done_.stand(plain.target, 0.8)
        back = _walk_back(told, tmp_path, kills=("follow", "silence", "tail") if killed else ())
        if back is None:
            for reader in (lagging, ahead, done_):
                reader.insist(plain.target)
            return
        for reader in (lagging, ahead, done_):
            reader.insist(plain.source)
        mix.cluster = plain.source
        mix.write(500)
        done = back.ended()
        assert done.code == 0, done.said
        mix.clean()
        for reader in (lagging, ahead, done_):
            reader.insist(plain.source)
        for topic, written in mix.committed.items():
            source = read_all(plain.source, topic)
            for partition, own in written.items():
                last = {one.key: one.value for one in own}
                wanted = {key: value for key, value in last.items() if value is not None}
                found = {one.key: one.value for one in source[partition]}
                assert {k: v for k, v in found.items() if v is not None} == wanted
                rest = iter([one.content for one in own])
                assert all(one.content in rest for one in source[partition]), "not in its order"
                assert len(source[partition]) < len(own), "nothing was cleaned"
