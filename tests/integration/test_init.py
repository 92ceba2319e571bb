"""`kferry init` against real clusters: what it writes is true, complete, and works as it is."""

import json
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from inspecting import admin_of
from machine import kferry
from test_inspect_access import add_user, as_admin
from topic_making import ago, facts_of, fill, make, unique

from kferry.access import take_quotas
from kferry.config import load_migration_file, load_properties
from kferry.config.properties import parse_properties
from kferry.migration.sizing import size_up
from kferry.migration.sizing_facts import take_loads, take_room
from kferry.names import TopicName
from kferry.sandbox import Cluster as SandboxCluster
from kferry.sandbox import Sandbox
from kferry.wire import Cluster, open_cluster

CONFIGS = "kafka.admin.ConfigCommand"
DAY_MS = 86_400_000


@pytest.fixture
async def source(plain: Sandbox) -> AsyncIterator[Cluster]:
    async with open_cluster(load_properties(plain.source.properties)) as cluster:
        yield cluster


@pytest.fixture
async def target(plain: Sandbox) -> AsyncIterator[Cluster]:
    async with open_cluster(load_properties(plain.target.properties)) as cluster:
        yield cluster


def init(folder: Path, *arguments: str) -> str:
    done = kferry("init", *arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    return (folder / "kferry.yaml").read_text(encoding="utf-8")


def named(sandbox: Sandbox) -> tuple[str, ...]:
    return ("--source", sandbox.source.bootstrap, "--target", sandbox.target.bootstrap)


def test_what_is_there_is_written_down_and_the_next_command_works(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = make(plain.source, unique("orders"), partitions=3)
    fill(plain.source, topic, [ago(0)] * 10)
    family = uuid.uuid4().hex[:8]
    for role, partitions in (("configs", 1), ("offsets", 2), ("status", 2)):
        name = TopicName(f"{family}-{role}")
        make(plain.source, name, partitions=partitions, configs={"cleanup.policy": "compact"})
    text = init(tmp_path, *named(plain), "--name", "shop")
    # Long names of others make the columns wide, and a row two lines.
    row = re.sub(r"\n\s*#\s*", " ", text).split(topic, 1)[1]
    assert re.match(r" +3 partitions  rf 1 [^#]*? 10 records ", row)
    assert f"Kafka Connect {family} keeps 3 topics for itself:" in text
    assert f"Found: {plain.target.cluster_id}, Kafka 4.3" in text
    file = load_migration_file(tmp_path / "kferry.yaml")
    assert file.name == "shop"
    assert file.source == load_properties(plain.source.properties)
    done = kferry("check", "--json", folder=tmp_path)
    assert {one["side"] for one in json.loads(done.stdout)["findings"]} >= {"source", "target"}


def test_one_cluster_named_twice_is_refused(plain: Sandbox, tmp_path: Path) -> None:
    twice = ("--source", plain.source.bootstrap, "--target", plain.source.bootstrap)
    done = kferry("init", *twice, folder=tmp_path)
    assert done.returncode == 2
    assert "same cluster" in done.stderr
    assert not (tmp_path / "kferry.yaml").exists()


def test_the_oldest_source_is_written_down_too(old: Sandbox, tmp_path: Path) -> None:
    topic = make_old(old.source)
    text = init(tmp_path, *named(old))
    assert topic in text
    assert "Kafka 0.10.2" in text
    assert load_migration_file(tmp_path / "kferry.yaml").source is not None


def make_old(cluster: SandboxCluster) -> TopicName:
    """Let the broker make a topic as somebody writes to it."""
    topic = unique("old")
    fill(cluster, topic, [ago(0)])
    return topic


def test_whoever_may_see_nothing_gets_a_file_and_hears_why_it_is_empty(
    sasl: Sandbox, tmp_path: Path
) -> None:
    _, client = add_user(sasl.source, tmp_path)
    done = kferry("init", "--source-config", client.name, folder=tmp_path)
    assert done.returncode == 0
    assert "source: not seen: ACLs: " in done.stderr
    text = (tmp_path / "kferry.yaml").read_text(encoding="utf-8")
    assert f"properties: {client.name}\n" in text
    assert "Found on the source: no topics." in text
    assert "password=" not in re.sub(r"(?m)^ *#.*", "", text)


def test_an_imported_set_up_lets_us_in_without_a_secret_in_the_file(
    sasl: Sandbox, tmp_path: Path
) -> None:
    lines = ["clusters = a, b", "a->b.enabled = true", "a->b.topics = none-of-them"]
    secrets = []
    for alias, cluster in (("a", sasl.source), ("b", sasl.target)):
        text = cluster.kferry_properties.read_text(encoding="utf-8")
        for key, entry in parse_properties(text).items():
            lines.append(f"{alias}.{key} = {entry.value}")
            if key == "sasl.jaas.config":
                secrets.append(entry.value.split('password="')[1].split('"')[0])
    (tmp_path / "mm2.properties").write_text("\n".join(lines), encoding="utf-8")
    text = init(tmp_path, "--from-mm2", "mm2.properties")
    assert len(secrets) == 2
    assert not [one for one in secrets if one in text]
    done = kferry("inspect", "users", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["source"]["cluster_id"] == sasl.source.cluster_id
    assert answer["target"]["cluster_id"] == sasl.target.cluster_id


async def test_loads_know_what_deletes_records_and_how_old_they_are(
    plain: Sandbox, source: Cluster
) -> None:
    inherits = make(plain.source, unique("inherits"), partitions=2)
    own = make(
        plain.source,
        unique("own"),
        configs={"retention.ms": str(2 * DAY_MS), "retention.bytes": "1000000"},
    )
    compacted = make(plain.source, unique("compacted"), configs={"cleanup.policy": "compact"})
    fill(plain.source, own, [ago(DAY_MS), ago(0)])
    topics = await facts_of(source, inherits, own, compacted)
    first, second, third = await take_loads(source, topics, {own: 3})
    assert (first.retention_ms, first.retention_bytes, first.age_ms) == (7 * DAY_MS, None, None)
    assert (first.partitions, first.replicas, second.replicas) == (2, 1, 3)
    assert (second.retention_ms, second.retention_bytes) == (2 * DAY_MS, 1_000_000)
    assert second.age_ms is not None
    assert DAY_MS <= second.age_ms < 2 * DAY_MS
    assert second.records == 2
    assert (third.retention_ms, third.retention_bytes) == (None, None)


async def test_the_room_of_a_target_has_its_quota_in_it(plain: Sandbox, target: Cluster) -> None:
    quota = ("--entity-type", "clients", "--entity-name", "kferry")
    as_admin(plain.target, CONFIGS, *quota, "--alter", "--add-config", "producer_byte_rate=1000")
    try:
        quotas = (await take_quotas(target)).quotas
        room = await take_room(target, quotas=quotas)
    finally:
        drop = ("--alter", "--delete-config", "producer_byte_rate")
        as_admin(plain.target, CONFIGS, *quota, *drop)
    assert (room.brokers, room.quota) == (1, 1000)
    assert room.offsets_kept_seconds == 7 * 86_400
    assert room.free_bytes is not None
    partitions = admin_of(plain.target).list_topics(timeout=10).topics.values()
    assert room.replicas is not None
    assert room.replicas >= sum(len(one.partitions) for one in partitions)
    assert size_up([], room, rate=None).limited_by == "quota"
