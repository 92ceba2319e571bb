"""Whatever kills a copy, and whenever: every record arrives once, and in order."""

import asyncio
import signal
import time
from collections.abc import Iterator, Mapping
from functools import partial

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic
from copying import copy
from following import running
from judge import PATIENCE_S, client_config, create_topic, send
from judging import assert_same
from killing import CUT_SHORT, Ends, Ordeal, assert_mapped
from machine import eventually
from mixing import KINDS, Kind, Mix

from kferry.copying import Settings
from kferry.sandbox import Cluster, ClusterSpec, Sandbox
from kferry.sandbox.faults import restart
from kferry.sandbox.faults.topics import recreate

SEED = 20_240_229
KILLS = 10
KILLS_IN_EVERY_RUN = 4
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FEW = {name: KINDS[name] for name in ("lz4", "tiny", "transactions")}
OLD = {
    "lz4": Kind(codec="lz4", age_ms=30 * DAY_MS),
    "plain": Kind(age_ms=30 * DAY_MS),
    "tiny": Kind(size=120, share=0.5, alone=True, age_ms=30 * DAY_MS),
}


@pytest.fixture
def own_sandbox() -> Iterator[Sandbox]:
    forgetful = {"producer.id.expiration.check.interval.ms": "1000"}
    with Sandbox.start(target=ClusterSpec(extra=forgetful)) as sandbox:
        yield sandbox


def alter(cluster: Cluster, topic: str, settings: Mapping[str, str | None]) -> None:
    """Set what a topic is told, or take it back."""
    entries = [
        ConfigEntry(
            name,
            value,
            incremental_operation=AlterConfigOpType.DELETE
            if value is None
            else AlterConfigOpType.SET,
        )
        for name, value in settings.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    admin = AdminClient(dict(client_config(cluster.properties)))
    admin.incremental_alter_configs([resource])[resource].result(PATIENCE_S)


@pytest.mark.parametrize("kills", [KILLS_IN_EVERY_RUN, pytest.param(KILLS, marks=pytest.mark.long)])
def test_kills_of_one_copy_lose_and_repeat_nothing(plain: Sandbox, kills: int) -> None:
    mix = Mix(cluster=plain.source, prefix=f"kills-{kills}", seed=SEED)
    mix.create()
    mix.write(2_000)
    ordeal = Ordeal(sandbox=plain, mix=mix, rate="250KiB/s")
    while ordeal.kills < kills:
        ordeal.kill_once()
        mix.write(40)
        mix.clean()
    last = ordeal.finish()
    assert last.result["records"] > 0, "it was done before the last kill"
    ordeal.judge(last)
    assert ordeal.settled > 0, "no kill left anything to compare"
    assert assert_mapped(plain, ordeal.migration, mix.topics) > 2_000


def test_the_newcomer_takes_over_and_the_former_ends(plain: Sandbox) -> None:
    mix = Mix(cluster=plain.source, prefix="takeover", seed=SEED, kinds=FEW)
    mix.create()
    mix.write(1_000)
    ordeal = Ordeal(sandbox=plain, mix=mix, rate="100KiB/s")
    slow = (*ordeal.selection, "--rate", ordeal.rate)
    ends = Ends(plain.target, mix.topics)
    with running(plain, *slow, migration=ordeal.migration) as former:
        former.until(lambda: ends.total() > 100)
        refused = copy(plain, *ordeal.selection, "--no-takeover", migration=ordeal.migration)
        assert refused.code == 8
        assert refused.result == {}
        assert former.process.poll() is None
        with running(plain, *slow, migration=ordeal.migration) as newcomer:
            left = former.ended()
            assert left.code == 8, left.said
            before = ends.total()
            newcomer.until(lambda: ends.total() > before + 100)
            assert newcomer.stop().code == 0
    ordeal.judge(ordeal.finish())


def test_a_sleeper_that_was_replaced_wakes_and_does_no_harm(plain: Sandbox) -> None:
    mix = Mix(cluster=plain.source, prefix="sleeper", seed=SEED, kinds=FEW)
    mix.create()
    mix.write(1_500)
    ordeal = Ordeal(sandbox=plain, mix=mix, rate="200KiB/s")
    slow = (*ordeal.selection, "--rate", ordeal.rate)
    ends = Ends(plain.target, mix.topics)
    with running(plain, *slow, migration=ordeal.migration) as sleeper:
        sleeper.until(lambda: ends.total() > 100)
        sleeper.process.send_signal(signal.SIGSTOP)
        with running(plain, *slow, migration=ordeal.migration) as newcomer:
            before = ends.total()
            newcomer.until(lambda: ends.total() > before + 500)
            sleeper.process.send_signal(signal.SIGCONT)
            woken = sleeper.ended()
            assert woken.code == 8, woken.said
            before = ends.total()
            newcomer.until(lambda: ends.total() > before + 100)
            # Asleep again behind its back: this time the newcomer has ended before it wakes.
            newcomer.process.send_signal(signal.SIGSTOP)
            ordeal.judge(ordeal.finish())
            newcomer.process.send_signal(signal.SIGCONT)
            assert newcomer.ended().code == 8
    ordeal.judge(ordeal.finish())
    assert_mapped(plain, ordeal.migration, mix.topics)


def test_a_clean_stop_leaves_nothing_to_compare(plain: Sandbox) -> None:
    mix = Mix(cluster=plain.source, prefix="clean-stop", seed=SEED, kinds=FEW)
    mix.create()
    mix.write(1_000)
    ordeal = Ordeal(sandbox=plain, mix=mix, rate="100KiB/s")
    ends = Ends(plain.target, mix.topics)
    for _ in range(3):
        before = ends.total()
        with running(
            plain, *ordeal.selection, "--rate", ordeal.rate, migration=ordeal.migration
        ) as run:
            run.until(partial(ends.grown, before + 100))
            stopped = run.stop()
            assert stopped.code == 0, stopped.said
            assert CUT_SHORT not in stopped.said
    last = ordeal.finish()
    assert CUT_SHORT not in last.said
    assert last.result["records"] > 0
    ordeal.judge(last)
    # No settling, so no markers: the offsets on the target are the records and nothing else.
    assert ends.total() == last.result["total_records"]


def test_old_records_survive_brokers_that_forget_us(own_sandbox: Sandbox) -> None:
    """The brokers' guard knows old records' producers for a second here: ours alone must do."""
    sandbox = own_sandbox
    mix = Mix(cluster=sandbox.source, prefix="forgotten", seed=SEED, kinds=OLD)
    mix.create()
    mix.write(1_500)
    ordeal = Ordeal(sandbox=sandbox, mix=mix, rate="250KiB/s")
    ends = Ends(sandbox.target, mix.topics)
    broker = sandbox.target.brokers[0]
    with running(
        sandbox, *ordeal.selection, "--rate", ordeal.rate, migration=ordeal.migration
    ) as run:
        for harsh in (False, True):
            before = ends.total()
            run.until(partial(ends.grown, before + 200))
            if harsh:
                broker.kill()
                broker.start()
                sandbox.target.wait_until_complete()
            else:
                restart(sandbox.target, broker.number)
        before = ends.total()
        run.until(lambda: ends.total() > before + 200)
        run.process.kill()
        run.ended()
    # And both at once: whoever wrote last is dead, and the broker has never heard of it.
    ordeal.kill_once()
    restart(sandbox.target, broker.number)
    last = ordeal.finish()
    assert last.result["records"] > 0
    ordeal.judge(last)
    assert_mapped(sandbox, ordeal.migration, mix.topics)


def test_a_batch_behind_a_refused_one_is_not_sent(plain: Sandbox) -> None:
    """A fresh partition takes any first sequence: one sent along would stay, out of order."""
    topic, migration = "first-batch", "first-batch"
    admin = AdminClient(dict(client_config(plain.source.properties)))
    admin.create_topics([NewTopic(topic, 1, 1, config={"retention.ms": "-1"})])[topic].result(
        PATIENCE_S
    )
    with running(plain, "--topic", topic, migration=migration) as run:
        run.until_shown(lambda shown: shown["state"] == "following")
        # Only now, or it would be found before the first byte.
        alter(plain.target, topic, {"message.timestamp.before.max.ms": str(HOUR_MS)})
        # In a transaction: its end lets the reader have all of it at once.
        producer = Producer(
            {**client_config(plain.source.properties), "transactional.id": migration}
        )
        producer.init_transactions(PATIENCE_S)
        producer.begin_transaction()
        for number in range(20):
            at = int(time.time() * 1000) - (0 if number else 2 * HOUR_MS)
            producer.produce(topic, b"%d" % number * 5_000, timestamp=at)
            assert producer.flush(PATIENCE_S) == 0  # a batch each, too large to be merged
        producer.commit_transaction(PATIENCE_S)
        refused = run.ended()
    assert refused.code == 1, refused.said
    (stopped,) = refused.result["stopped"]
    assert (stopped["topic"], stopped["partition"], stopped["offset"]) == (topic, 0, 0)
    assert Ends(plain.target, [topic]).total() == 0
    alter(plain.target, topic, {"message.timestamp.before.max.ms": None})
    mended = copy(plain, "--topic", topic, migration=migration)
    assert mended.code == 0, mended.result["stopped"]
    assert_same(plain.source, plain.target, topic)


def test_one_that_was_killed_does_not_hold_the_migration(plain: Sandbox) -> None:
    mix = Mix(cluster=plain.source, prefix="dead-owner", seed=SEED, kinds=FEW)
    mix.create()
    mix.write(100)
    ordeal = Ordeal(sandbox=plain, mix=mix, rate="100KiB/s")
    ordeal.kill_once()
    gentle = (*ordeal.selection, "--no-takeover")
    eventually(lambda: copy(plain, *gentle, migration=ordeal.migration).code == 0)
    ordeal.judge(ordeal.finish())


def test_a_machine_that_slept_goes_on_if_nobody_came(plain: Sandbox) -> None:
    mix = Mix(cluster=plain.source, prefix="suspended", seed=SEED, kinds=FEW)
    mix.create()
    mix.write(1_000)
    ordeal = Ordeal(sandbox=plain, mix=mix, rate="50KiB/s")
    ends = Ends(plain.target, mix.topics)
    with running(
        plain, *ordeal.selection, "--rate", ordeal.rate, migration=ordeal.migration
    ) as run:
        run.until(partial(ends.grown, 100))
        run.process.send_signal(signal.SIGSTOP)
        # The lease is a time and nothing else: there is nothing to look at.
        time.sleep(Settings(until_caught_up=False).lease_s + 1)
        before = ends.total()
        run.process.send_signal(signal.SIGCONT)
        run.until(partial(ends.grown, before + 200))
        assert run.stop().code == 0
    ordeal.judge(ordeal.finish())


def test_a_target_that_lost_records_is_noticed_however_often_it_is_tried(plain: Sandbox) -> None:
    """Each try puts a marker into the log, so that its end alone soon looks right again."""
    topic, migration = "lost-records", "lost-records"
    config = client_config(plain.source.properties)
    create_topic(config, topic)
    for number in range(2):
        send(config, topic, f"{number}")
    assert copy(plain, "--topic", topic, migration=migration).code == 0
    asyncio.run(recreate(plain.target, topic))
    for _ in range(5):
        tried = copy(plain, "--topic", topic, migration=migration)
        assert tried.code != 0, tried.result
        assert "lost" in tried.said + str(tried.result), tried
