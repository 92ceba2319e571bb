"""A copy outlives what happens to clusters: every record arrives, once and in order.

Brokers die and freeze, leaders move, lines are cut and connections end in the middle of a frame,
on either side, while records flow at a rate that leaves time for it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from copying import Ended, copy
from following import Running, running
from judging import assert_same, judge, read_all
from numbering import Numbers
from topic_making import make, unique

from kferry.config import load_properties
from kferry.names import Address, PartitionId, TopicName, TopicPartition
from kferry.sandbox import Cluster, ClusterSpec, Sandbox
from kferry.sandbox.faults import Relay, Way, address_map_line, brokers, move_leader
from kferry.sandbox.faults.errors import CannotBreakError
from kferry.wire import Limits, WireError, dial

pytestmark = pytest.mark.own_brokers

PARTITIONS = 3
RECORDS = 7_000
SIZE = 1_000
RATE = "700KiB/s"
"""About 10 seconds for all of it."""
LEASE_S = 10.0


@pytest.fixture(scope="module", params=["source", "target"])
def broken(request: pytest.FixtureRequest) -> Iterator[tuple[Sandbox, Cluster]]:
    """Three brokers on the side that is to suffer, one on the other."""
    side: str = request.param
    specs = {one: ClusterSpec(brokers=3 if one == side else 1) for one in ("source", "target")}
    with Sandbox.start(source=specs["source"], target=specs["target"]) as sandbox:
        yield sandbox, getattr(sandbox, side)


def filled(sandbox: Sandbox, name: str, *, records: int = RECORDS) -> Numbers:
    replicas = len(sandbox.source.brokers)
    topic = make(sandbox.source, unique(name), partitions=PARTITIONS, replicas=replicas)
    numbers = Numbers(sandbox.source, topic, partitions=PARTITIONS, size=SIZE)
    numbers.write(records)
    return numbers


def copying(
    sandbox: Sandbox, numbers: Numbers, *clusters: str
) -> "contextlib.AbstractContextManager[Running]":
    return running(
        sandbox,
        *("--topic", numbers.topic, "--until-caught-up", "--rate", RATE),
        migration=numbers.topic,
        clusters=clusters or None,
    )


def assert_exact(sandbox: Sandbox, numbers: Numbers, done: Ended) -> None:
    assert done.code == 0, done.said
    assert done.result["total_records"] == numbers.written
    verdict = judge(read_all(sandbox.target, numbers.topic), numbers.acknowledged)
    assert verdict.exact, verdict
    assert_same(sandbox.source, sandbox.target, numbers.topic)


async def test_brokers_die_and_leaders_move(broken: tuple[Sandbox, Cluster]) -> None:
    sandbox, cluster = broken
    numbers = filled(sandbox, "death", records=3_000)
    wanted = ("--topic", numbers.topic, "--rate", RATE)
    with running(sandbox, *wanted, migration=numbers.topic) as run:
        with numbers.flowing():
            await asyncio.to_thread(run.until_copied, 500)
            brokers.find(cluster, 2).kill()
            await asyncio.to_thread(run.until_copied, run.copied + 500)
            await asyncio.to_thread(brokers.restart, cluster, 2)
            for partition in range(PARTITIONS):
                place = TopicPartition(TopicName(numbers.topic), PartitionId(partition))
                # A replica that has just come back may not be in sync yet.
                with contextlib.suppress(CannotBreakError):
                    await move_leader(cluster, place)
            await asyncio.to_thread(run.until_copied, run.copied + 200)
        followed = await asyncio.to_thread(run.stop)
    assert followed.code == 0, followed.said
    done = await asyncio.to_thread(
        lambda: copy(sandbox, "--topic", numbers.topic, migration=numbers.topic)
    )
    assert_exact(sandbox, numbers, done)


async def test_a_broker_freezes_for_longer_than_the_lease(broken: tuple[Sandbox, Cluster]) -> None:
    sandbox, cluster = broken
    numbers = filled(sandbox, "frost")
    with copying(sandbox, numbers) as run:
        await asyncio.to_thread(run.until_copied, 1_000)
        broker = brokers.find(cluster, 1)
        broker.pause()
        try:
            await asyncio.sleep(LEASE_S + 4)
        finally:
            broker.resume()
        done = await asyncio.to_thread(run.ended)
    assert_exact(sandbox, numbers, done)


@asynccontextmanager
async def through(
    sandbox: Sandbox, side: str, folder: Path
) -> AsyncIterator[tuple[Relay, list[str]]]:
    """Lead kferry to one side by a relay; yield it, and how both sides are named."""
    cluster: Cluster = getattr(sandbox, side)
    direct = cluster.kferry_properties
    (broker,) = load_properties(direct).bootstrap
    async with Relay.to(broker) as relay:
        relayed = folder / "relayed.properties"
        relayed.write_text(f"{direct.read_text()}\n{address_map_line([relay])}\n")
        named: list[str] = []
        for one in ("source", "target"):
            properties = relayed if one == side else getattr(sandbox, one).kferry_properties
            named += [f"--{one}-config", str(properties)]
        yield relay, named


@pytest.mark.parametrize("side", ["source", pytest.param("target", marks=pytest.mark.long)])
async def test_the_line_is_cut_and_connections_end_inside_frames(
    plain: Sandbox, side: str, tmp_path: Path
) -> None:
    numbers = filled(plain, f"line-{side}")
    async with through(plain, side, tmp_path) as (relay, named):
        with copying(plain, numbers, *named) as run:
            await asyncio.to_thread(run.until_copied, 500)
            # Records travel one way only; the other sees a few bytes for each request.
            heavy = Way.ANSWERS if side == "source" else Way.REQUESTS
            for way in (Way.ANSWERS, Way.REQUESTS, Way.ANSWERS, Way.REQUESTS):
                struck = relay.reset_after(30_011 if way is heavy else 311, way)
                async with asyncio.timeout(60):
                    await struck.wait()
                await asyncio.to_thread(run.until_copied, run.copied + 200)
            relay.cut()
            await asyncio.sleep(LEASE_S + 3)
            relay.mend()
            done = await asyncio.to_thread(run.ended)
    assert_exact(plain, numbers, done)


async def test_answers_that_stay_away_are_settled_and_not_sent_again(
    plain: Sandbox, tmp_path: Path
) -> None:
    """The target does what it is asked, and nobody hears of it."""
    numbers = filled(plain, "unheard")
    async with through(plain, "target", tmp_path) as (relay, named):
        with copying(plain, numbers, *named) as run:
            await asyncio.to_thread(run.until_copied, 500)
            for _ in range(2):
                relay.stall(Way.ANSWERS)
                await asyncio.sleep(1.0)
                relay.reset()
                relay.mend()
                await asyncio.to_thread(run.until_copied, run.copied + 1_000)
            done = await asyncio.to_thread(run.ended)
    assert_exact(plain, numbers, done)


async def test_a_line_that_is_dead_costs_no_other_connection_its_descriptor(
    plain: Sandbox,
) -> None:
    """uvloop closed a number twice, of which the second was somebody else's."""
    settings = load_properties(plain.source.properties)
    (broker,) = settings.bootstrap

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def knock(address: Address) -> None:
        for _ in range(40):
            with contextlib.suppress(WireError):
                (await dial(settings, address, Limits())).abort()

    async with Relay.to(broker) as relay:
        relay.cut()
        before = descriptors()
        await asyncio.gather(*(knock(relay.address) for _ in range(4)))
        async with asyncio.timeout(30):
            while descriptors() > before + 4:
                await asyncio.sleep(0.05)
