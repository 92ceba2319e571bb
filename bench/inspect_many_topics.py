"""Looking at a thousand topics of ten partitions, beside the official tool's list of them."""

import sys
from collections.abc import Sequence

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.contest.options import Options
from bench.record import KFERRY, Measurement, time_command
from kferry.sandbox import Cluster, ClusterSpec, Sandbox, tool_command

_TOPICS, _PARTITIONS, _AT_ONCE, _RUNS = 1000, 10, 100, 5


def run(_: Options) -> Sequence[Measurement]:
    with Sandbox.start(
        name="bench-inspect", source=ClusterSpec(brokers=3, broker_defaults=True)
    ) as sandbox:
        _create(sandbox.source)
        source = ["--source", sandbox.source.bootstrap]
        inspect = [KFERRY, "inspect", "topics", *source, "--rate-seconds", "0"]
        describe = tool_command(
            sandbox.source,
            "org.apache.kafka.tools.TopicCommand",
            "--describe",
            "--bootstrap-server",
            sandbox.source.bootstrap,
        )
        ours = time_command("kferry inspect topics, 1,000 of 10", inspect, runs=_RUNS)
        theirs = time_command(
            "kafka-topics --describe, the same",
            describe,
            runs=_RUNS,
            shown=f"kafka-topics --describe --bootstrap-server {sandbox.source.bootstrap}",
        )
        print(f"ratio {theirs.median / ours.median:.2f}", file=sys.stderr)
        return [ours, theirs]


def _create(cluster: Cluster) -> None:
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    for start in range(0, _TOPICS, _AT_ONCE):
        wanted = [
            NewTopic(f"topic-{number:04}", _PARTITIONS, 1)
            for number in range(start, start + _AT_ONCE)
        ]
        for made in admin.create_topics(wanted, operation_timeout=60).values():
            made.result()
