"""The fence on a cluster that denies by default: who is kept out, what they see, what is left."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from copying import Ended, ended, kferry
from inspecting import admin_of
from judge import PATIENCE_S, client_config, create_topic
from machine import eventually
from test_inspect_access import add_user

from kferry.config import load_properties
from kferry.ledger import create_ledger
from kferry.migration.clusters import open_sides
from kferry.migration.maps import read_documents
from kferry.migration.switching.fence import Fence
from kferry.migration.switching.fence_book import FenceWish, read_fence
from kferry.migration.switching.open_transactions import open_transactions
from kferry.migration.switching.silence import SilenceWatch
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.runbook import Passed, Record
from kferry.runbook.bundle import Keepsake
from kferry.runbook.fencing import despite_open, fenced
from kferry.runbook.offline import roll_back_without_target
from kferry.runbook.readings import silence
from kferry.sandbox import Cluster as SandboxCluster
from kferry.sandbox import ClusterSpec, Sandbox, Security

LITERAL, PREFIXED = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
ALLOW, DENY = AclPermissionType.ALLOW, AclPermissionType.DENY
TOPIC = ResourceType.TOPIC
REFUSED = KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.fixture(scope="module")
def sasl() -> Iterator[Sandbox]:
    """A pair of its own: what its rules let anybody see must not show in other tests."""
    with Sandbox.start(
        source=ClusterSpec(version="3.9.2", security=Security.SASL_SSL),
        target=ClusterSpec(security=Security.SASL_SSL),
    ) as sandbox:
        yield sandbox


def rule(who: str, name: str, *, pattern=LITERAL, permission=ALLOW, kind=TOPIC, host="*"):  # type: ignore[no-untyped-def]
    return AclBinding(kind, name, pattern, who, host, AclOperation.WRITE, permission)


def make(cluster: SandboxCluster, *rules: AclBinding) -> None:
    admin = admin_of(cluster)
    for future in admin.create_acls(list(rules)).values():
        future.result(PATIENCE_S)


def about(cluster: SandboxCluster, topic: str) -> set[AclBinding]:
    """Ask an independent client for all rules that name one topic."""
    wanted = AclBindingFilter(
        TOPIC,
        topic,
        ResourcePatternType.ANY,
        None,  # type: ignore[arg-type]  # any: its stubs know too little
        None,  # type: ignore[arg-type]  # as above
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    admin = admin_of(cluster)
    return set(admin.describe_acls(wanted).result(PATIENCE_S))


@dataclass
class People:
    """A topic, and users who write to it each by another kind of rule."""

    cluster: SandboxCluster
    topic: str
    files: dict[str, Path]
    names: dict[str, str]
    producers: dict[str, Producer] = field(default_factory=dict)

    def who(self, kind: str) -> str:
        return f"User:{self.names[kind]}"

    def producer(self, kind: str, **settings: object) -> Producer:
        quiet = {"message.timeout.ms": 20_000, "log_level": 0}
        return Producer({**client_config(self.files[kind]), **quiet, **settings})


def write(producer: Producer, topic: str) -> KafkaError | None:
    """Write one record; return what the broker says against it."""
    errors: list[KafkaError | None] = []
    try:
        producer.produce(topic, b"x", on_delivery=lambda error, _: errors.append(error))
    except KafkaException as refused:  # it has learned of it meanwhile
        error: KafkaError = refused.args[0]
        return error
    producer.flush(PATIENCE_S)
    assert errors, "nothing was said about it"
    return errors[0]


def until_allowed(producer: Producer, topic: str) -> None:
    """A rule reaches the broker a moment after it is made."""
    eventually(lambda: write(producer, topic) is None)


@pytest.fixture
def people(sasl: Sandbox, tmp_path: Path) -> Iterator[People]:
    prefix = f"fence-{uuid.uuid4().hex[:8]}"
    topic = f"{prefix}-orders"
    create_topic(client_config(sasl.source.properties), topic)
    added = {kind: add_user(sasl.source, tmp_path) for kind in ("plain", "idempotent", "tx", "out")}
    found = People(
        cluster=sasl.source,
        topic=topic,
        files={kind: file for kind, (_, file) in added.items()},
        names={kind: name for kind, (name, _) in added.items()},
    )
    alter = AclBinding(
        ResourceType.BROKER, "kafka-cluster", LITERAL, "User:kferry", "*", AclOperation.ALTER, ALLOW
    )
    made = [
        rule(found.who("plain"), topic),
        rule(found.who("idempotent"), prefix, pattern=PREFIXED),
        rule(found.who("tx"), topic),
        rule(found.who("tx"), prefix, kind=ResourceType.TRANSACTIONAL_ID, pattern=PREFIXED),
        rule(found.who("out"), topic),
        rule(found.who("out"), topic, permission=DENY),  # somebody else's, from before
        alter,
    ]
    make(sasl.source, *made)
    yield found
    admin = admin_of(sasl.source)
    for future in admin.delete_acls([exactly(one) for one in made]).values():
        future.result(PATIENCE_S)


def exactly(one: AclBinding) -> AclBindingFilter:
    """Mean one rule and no other."""
    return AclBindingFilter(
        one.restype,
        one.name,
        one.resource_pattern_type,
        one.principal,
        one.host,
        one.operation,
        one.permission_type,
    )


@asynccontextmanager
async def fence_of(
    sandbox: Sandbox, topic: str, wish: FenceWish, *, as_admin: bool = False
) -> AsyncIterator[Fence]:
    """Open both sides, with the rights that kferry has or with all, and a ledger of its own."""
    files = [
        one.properties if as_admin else one.kferry_properties
        for one in (sandbox.source, sandbox.target)
    ]
    source, target = map(load_properties, files)

    async with open_sides(source, target) as sides:
        yield Fence(
            source=sides.clusters.source,
            target=sides.clusters.target,
            ledger=await create_ledger(sides.clusters.target, topic),
            topics=(TopicName(topic),),
            wish=wish,
            keep=lambda _: None,
            narrate=lambda _: None,
        )


async def test_every_kind_of_producer_is_refused_while_fenced_and_writes_again_after_it(
    sasl: Sandbox, people: People
) -> None:
    topic = people.topic
    plain = people.producer("plain", **{"enable.idempotence": False})
    idempotent = people.producer("idempotent", **{"enable.idempotence": True})
    tx = people.producer("tx", **{"transactional.id": topic})
    await asyncio.to_thread(tx.init_transactions, PATIENCE_S)
    tx.begin_transaction()
    for one in (plain, idempotent, tx):
        await asyncio.to_thread(until_allowed, one, topic)
    await asyncio.to_thread(tx.commit_transaction, PATIENCE_S)
    before = about(people.cluster, topic)
    async with fence_of(sasl, topic, FenceWish()) as fence:
        whom = await fence.whom()
        assert not whom.refusal
        meant = {people.who(kind) for kind in ("plain", "idempotent", "tx", "out")}
        assert meant <= whom.shut_out.keys()
        assert "User:kferry" not in whom.shut_out
        await fence.put_up()
        await fence.put_up()  # as after a crash between the two notes
        held = await fence.measure(whom)
        while held.lacking:
            held = await fence.measure(whom)
        assert not held.own_lost
        ours = about(people.cluster, topic) - before
        assert {one.principal for one in ours} == set(whom.shut_out) - {people.who("out")}
        assert {(one.permission_type, one.operation) for one in ours} == {
            (DENY, AclOperation.WRITE)
        }
        for one in (plain, idempotent):
            error = await asyncio.to_thread(write, one, topic)
            assert error is not None
            assert error.code() == REFUSED
        seen = await asyncio.to_thread(transaction_error, tx, topic)
        assert seen.code() == REFUSED
        assert seen.txn_requires_abort()
        known = read_fence(await read_documents(fence.target, fence.ledger))
        assert known is not None
        assert {one.principal for one in known.rules} == {one.principal for one in ours}
        await fence.lift()
        assert about(people.cluster, topic) == before, "more or less was taken away than was made"
        assert read_fence(await read_documents(fence.target, fence.ledger)) is None
        await fence.lift()  # nothing is left to do
    assert about(people.cluster, topic) == before
    for one in (plain, idempotent):
        await asyncio.to_thread(until_allowed, one, topic)  # it remembers the refusal for a moment
    # The broker knows nothing of the transaction that was refused: this client cannot go on.
    with pytest.raises(KafkaException):
        await asyncio.to_thread(tx.abort_transaction, PATIENCE_S)
    tx = people.producer("tx", **{"transactional.id": topic})
    await asyncio.to_thread(tx.init_transactions, PATIENCE_S)
    tx.begin_transaction()
    assert await asyncio.to_thread(write, tx, topic) is None
    await asyncio.to_thread(tx.commit_transaction, PATIENCE_S)


def transaction_error(producer: Producer, topic: str) -> KafkaError:
    """Write in a transaction, and return why it cannot be committed; it stays open."""
    producer.begin_transaction()
    assert write(producer, topic) is not None
    with pytest.raises(KafkaException) as refused:
        producer.commit_transaction(PATIENCE_S)
    error: KafkaError = refused.value.args[0]
    return error


async def test_where_everybody_may_write_only_named_ones_are_shut_out(
    sasl: Sandbox, people: People
) -> None:
    topic = people.topic
    everybody = rule("User:*", topic)
    make(sasl.source, everybody)
    async with fence_of(sasl, topic, FenceWish()) as fence:
        refused = await fence.whom()
        assert "User:*" in refused.refusal
        assert "--fence-principal" in refused.refusal
        assert not refused.missing
    named = FenceWish(principals=(people.who("plain"),))
    async with fence_of(sasl, topic, named) as fence:
        whom = await fence.whom()
        assert set(whom.shut_out) == {people.who("plain")}
    for never in ("User:kferry", "User:*"):
        async with fence_of(sasl, topic, FenceWish(principals=(never,))) as fence:
            assert never in (await fence.whom()).refusal


@pytest.mark.parametrize(
    "scheme", ["mirror", pytest.param("consumer-first", marks=pytest.mark.long)]
)
def test_a_cutover_fences_and_a_rollback_behind_the_hand_over_lifts_it_before_producers_start(
    sasl: Sandbox, people: People, tmp_path: Path, scheme: str
) -> None:
    topic, name = people.topic, people.topic
    app = people.producer("plain", **{"enable.idempotence": False})
    until_allowed(app, topic)
    before = about(sasl.source, topic)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("on-silence", "on-consumers-stop", "on-consumers-start"):
        script(hooks / hook, "pass")
    script(hooks / "on-handover", sending(sasl.target.properties, topic))
    script(
        hooks / "on-rollback",
        "import os\nif os.environ['KFERRY_DO'] == 'start-all':\n    "
        + sending(people.files["plain"], topic).replace("\n", "\n    "),
    )
    walk = ("-m", name, "--yes", "--json", "--silence", "1s", "--patience", "60s",
            "--producers-stopped", "--hooks", str(hooks), "--verify", "none")  # fmt: skip
    fence = ("--scheme", scheme, "--fence", "--topic", topic, "--bundle", str(tmp_path / "u"))
    done = run(sasl, tmp_path, "cutover", *walk, *fence)
    assert done.code == 0, done.said
    assert "TopicAuthorizationException" in done.said
    error = write(app, topic)
    assert error is not None
    assert error.code() == REFUSED, "the fence does not stand behind the hand-over"
    assert people.who("plain") in (tmp_path / "u").read_text()
    back = run(sasl, tmp_path, "rollback", *walk)
    assert back.code == 0, back.said
    assert about(sasl.source, topic) == before
    until_allowed(app, topic)


async def test_a_transaction_that_is_open_is_named_and_can_be_committed_behind_the_fence(
    sasl: Sandbox, people: People
) -> None:
    topic = people.topic
    tx = people.producer("tx", **{"transactional.id": topic})
    await asyncio.to_thread(tx.init_transactions, PATIENCE_S)
    tx.begin_transaction()
    await asyncio.to_thread(until_allowed, tx, topic)
    place = TopicPartition(TopicName(topic), PartitionId(0))
    async with fence_of(sasl, topic, FenceWish(anyway=True)) as fence:
        found = await SilenceWatch(cluster=fence.source, seconds=0).look([place])
        assert place in found.open
        (named,) = await open_transactions(fence.source, found.open)
        assert f"on {place} since offset" in named
        told = silence(found, 0)
        assert not all(one.passed for one in told if one.gate == "transactions")
        (passed,) = [one for one in despite_open(told, [named]) if one.gate == "transactions"]
        assert passed.passed
        assert named in passed.why
        await fence.put_up()
        whom = await fence.whom()
        while (held := await fence.measure(whom)).lacking:
            pass
        behind = fenced(whom, held, found, 0)
        assert not all(one.passed for one in behind), "the fence does not wait for its end"
        await asyncio.to_thread(tx.commit_transaction, PATIENCE_S)
        watch = SilenceWatch(cluster=fence.source, seconds=0)
        while (now := await watch.look([place])).open:
            pass
        assert all(one.passed for one in fenced(whom, held, now, 0))
        await fence.lift()


async def test_from_its_bundle_alone_a_cutover_takes_the_fence_away_before_producers_are_called(
    sasl: Sandbox, people: People, tmp_path: Path
) -> None:
    topic, kept = people.topic, tmp_path / "undo.json"
    before = about(people.cluster, topic)
    handed: list[set[AclBinding]] = []

    class Nobody:
        def about(self, facts: object) -> None: ...
        def entering(self, *step: object) -> None: ...
        async def hand(self, *_: object) -> bool:
            handed.append(about(people.cluster, topic))
            return True

    async with fence_of(sasl, topic, FenceWish()) as fence:
        source = fence.source.metadata.cluster_id or ""
        keepsake = Keepsake(path=kept, migration=topic, source=source, target="gone")
        passed = tuple(Passed(step=one, at="") for one in ("silence", "fence"))
        facts = {"fence": FenceWish().document()}
        keepsake.keep(Record(id="1", scheme="mirror", topics=(topic,), groups=(), started="",
                             passed=passed, facts=facts))  # fmt: skip
        await replace(fence, keep=keepsake.keep_fence).put_up()
        assert about(people.cluster, topic) != before
        settings = fence.source.settings
        done = await roll_back_without_target(
            kept,
            source=settings,
            target=fence.target.settings,
            migration=topic,
            operator=Nobody(),  # type: ignore[arg-type]  # as much as is called
        )
        assert any("taken away" in one for one in done.done)
        assert about(people.cluster, topic) == before
        assert handed == [before], "producers were called before the fence was gone"
        await fence.lift()  # once the target is back


async def test_completing_lifts_the_fence_and_insists_on_the_source_for_it(
    sasl: Sandbox, people: People, tmp_path: Path
) -> None:
    topic = people.topic
    copied = run(sasl, tmp_path, "copy", "--topic", topic, "-m", topic, "--until-caught-up")
    assert copied.code == 0, copied.said
    before = about(people.cluster, topic)
    async with fence_of(sasl, topic, FenceWish()) as fence:
        await fence.put_up()
    assert about(people.cluster, topic) != before
    target = ("--target-config", str(sasl.target.properties))
    alone = ended(kferry("complete", *target, "-m", topic, "--yes", cwd=tmp_path))
    assert alone.code == 2, alone.said
    assert "--source" in alone.said
    done = run(sasl, tmp_path, "complete", "-m", topic, "--yes")
    assert done.code == 0, done.said
    assert about(people.cluster, topic) == before


def run(sasl: Sandbox, folder: Path, verb: str, *arguments: str) -> Ended:
    """Run a command as the administrator: a way back takes rights that kferry's user has not."""
    sides = ("--source-config", str(sasl.source.properties),
             "--target-config", str(sasl.target.properties))  # fmt: skip
    return ended(kferry(verb, *sides, *arguments, cwd=folder))


def script(path: Path, text: str) -> None:
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)


def sending(properties: Path, topic: str) -> str:
    """Write a record as a client of that file."""
    return (
        f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\nfrom judge import client_config, send\n"
        f"send(client_config(Path({str(properties)!r})), {topic!r}, 'moved')"
    )
