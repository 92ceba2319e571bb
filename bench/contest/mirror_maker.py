"""MirrorMaker 2, tuned: the peer everybody knows.

Owns its configuration and command line. Every choice is in its favour: large batches and fetches,
idempotent producers with five requests in flight (Connect's own default is one), and nothing beside
the records themselves: no heartbeats, checkpoints, offset syncs, topic, group or ACL syncs.
"""

import os
from collections.abc import Mapping

from bench.contest.case import Case
from kferry.config.properties import parse_properties, render_properties
from kferry.sandbox import Cluster, tool_command

LEAVES = "mm2-"
"""How the names begin of the topics that it leaves behind on the target."""
MAIN_CLASS = "org.apache.kafka.connect.mirror.MirrorMaker"
HEAP = "-Xmx1g"
# What Kafka's own start script gives it; the sandbox's tools have the serial collector.
COLLECTOR = "-XX:-UseSerialGC -XX:+UseG1GC -XX:MaxGCPauseMillis=20"
_FETCH = 50 << 20
_FETCH_PARTITION = 8 << 20
_BATCH = 1 << 20


def command(case: Case, *, linger_ms: int = 20) -> list[str]:
    """Write the file it wants and return how it is started."""
    file = case.folder / f"mm2-{case.number}.properties"
    file.write_text(render_properties(settings(case, linger_ms)))
    environment = {**os.environ, "KAFKA_HEAP_OPTS": HEAP, "KAFKA_OPTS": COLLECTOR}
    return tool_command(case.target, MAIN_CLASS, str(file), environment=environment)


def settings(case: Case, linger_ms: int) -> Mapping[str, str]:
    """Return its configuration; the source's alias is new each time, and with it all its state."""
    ours, theirs = f"s{case.number}", "t"
    flow = f"{ours}->{theirs}"
    return {
        "clusters": f"{ours}, {theirs}",
        **_client(ours, case.source),
        **_client(theirs, case.target),
        f"{flow}.enabled": "true",
        f"{flow}.topics": case.topic,
        f"{theirs}->{ours}.enabled": "false",
        "tasks.max": "4",
        "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        "replication.factor": "1",
        "refresh.topics.enabled": "false",
        "refresh.groups.enabled": "false",
        "sync.topic.configs.enabled": "false",
        "sync.topic.acls.enabled": "false",
        "sync.group.offsets.enabled": "false",
        "emit.heartbeats.enabled": "false",
        "emit.checkpoints.enabled": "false",
        # With it off, no other setting of the syncs may be there, or it refuses to start.
        "emit.offset-syncs.enabled": "false",
        "checkpoints.topic.replication.factor": "1",
        "heartbeats.topic.replication.factor": "1",
        "offset.storage.replication.factor": "1",
        "status.storage.replication.factor": "1",
        "config.storage.replication.factor": "1",
        f"{ours}.consumer.fetch.max.bytes": str(_FETCH),
        f"{ours}.consumer.max.partition.fetch.bytes": str(_FETCH_PARTITION),
        f"{ours}.consumer.max.poll.records": "10000",
        f"{ours}.consumer.receive.buffer.bytes": str(1 << 20),
        f"{theirs}.producer.batch.size": str(_BATCH),
        f"{theirs}.producer.linger.ms": str(linger_ms),
        f"{theirs}.producer.buffer.memory": str(128 << 20),
        f"{theirs}.producer.max.request.size": str(8 << 20),
        f"{theirs}.producer.compression.type": case.codec,
        f"{theirs}.producer.enable.idempotence": "true",
        f"{theirs}.producer.max.in.flight.requests.per.connection": "5",
    }


def _client(alias: str, cluster: Cluster) -> dict[str, str]:
    properties = parse_properties(cluster.properties.read_text())
    return {f"{alias}.{key}": entry.value for key, entry in properties.items()}
