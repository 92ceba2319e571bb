"""Five thousand groups of twenty positions: translated and committed, beside one by one.

`kferry groups sync` looks at every group and every position on both sides, writes down what was
there, commits, and reads it all back. Beside it the same commits alone, group after group, by
confluent-kafka's administration client, and by the official tool, a process for each group: of that
some are run, and the time of all is worked out. Nothing is translated, kept or read back there. A
second sync, with nothing left to do, shows what looking costs.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition

from bench.contest import topics
from bench.contest.options import Options
from bench.record import KFERRY, Measurement, time_calls
from kferry.admin.group_commit import NewPosition, commit_offsets
from kferry.config import load_properties
from kferry.names import GroupId, PartitionId, TopicName
from kferry.names import TopicPartition as Place
from kferry.sandbox import Cluster, Sandbox, tool_command
from kferry.sandbox.load.confluent import AdminClient, client_settings
from kferry.wire import open_cluster

_GROUPS, _PARTITIONS, _RECORDS, _AT_ONCE = 5_000, 20, 1_000, 500
_TOPIC = TopicName("bench-groups")
_TOOL = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
_BY_TOOL = 5
_PATIENCE_S = 60.0


def run(options: Options) -> Sequence[Measurement]:
    groups = [f"bench-{number:05}" for number in range(options.scaled(_GROUPS))]
    with Sandbox.start(name=f"bench-{os.getpid()}") as sandbox:
        topics.create(sandbox.source, _TOPIC, _PARTITIONS, {})
        _write(sandbox.source)
        asyncio.run(_commit(sandbox.source, groups))
        where = ["--source", sandbox.source.bootstrap, "--target", sandbox.target.bootstrap]
        _run("copy", *where, "--topic", _TOPIC, "--until-caught-up", "--json")
        size = f"{len(groups):,} groups of {_PARTITIONS}"
        sync = [*where, "--group", "bench-*", "--yes", "--json"]
        shown = "kferry groups sync --source A --target B --yes --json"
        ours = time_calls(
            f"kferry groups sync, {size}", shown, lambda: _run("groups", "sync", *sync), runs=1
        )
        again = time_calls(
            f"kferry groups sync again, {size}",
            shown,
            lambda: _run("groups", "sync", *sync),
            runs=options.rounds,
        )
        theirs = time_calls(
            f"one by one, commits alone, {size}",
            "AdminClient.alter_consumer_group_offsets, a call for each group",
            lambda: _one_by_one(sandbox.target, [f"other-{one}" for one in groups]),
            runs=1,
        )
        tool = _by_tool(sandbox.target, len(groups))
        print(
            f"ratio {tool.median / ours.median:.2f} and {theirs.median / ours.median:.2f}",
            file=sys.stderr,
        )
        return [ours, again, tool, theirs]


def _run(*command: str) -> None:
    subprocess.run([KFERRY, *command], check=True, stdout=subprocess.DEVNULL)


def _write(cluster: Cluster) -> None:
    producer = Producer({**client_settings(cluster), "linger.ms": 20})
    for number in range(_RECORDS):
        for partition in range(_PARTITIONS):
            producer.produce(_TOPIC, str(number), partition=partition)
    if producer.flush(_PATIENCE_S):
        raise RuntimeError("the load was not written")


def _by_tool(cluster: Cluster, groups: int) -> Measurement:
    """Reset some groups from a file, as one would whose script has translated their positions."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "positions.csv"
        file.write_text("".join(f"{_TOPIC},{n},500\n" for n in range(_PARTITIONS)))
        reset = ("--reset-offsets", "--from-file", str(file), "--execute")
        server = ("--bootstrap-server", cluster.bootstrap)

        def one(number: int) -> None:
            command = tool_command(cluster, _TOOL, *server, "--group", f"tool-{number}", *reset)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

        began = time.perf_counter()
        for number in range(_BY_TOOL):
            one(number)
        seconds = (time.perf_counter() - began) / _BY_TOOL * groups
    return Measurement(
        what=f"kafka-consumer-groups, a run for each of {groups:,}, worked out from {_BY_TOOL}",
        command="kafka-consumer-groups --bootstrap-server B --group G "
        "--reset-offsets --from-file F --execute",
        seconds=(seconds,),
    )


async def _commit(cluster: Cluster, groups: Sequence[str]) -> None:
    async with open_cluster(load_properties(cluster.properties)) as connected:
        for start in range(0, len(groups), _AT_ONCE):
            wanted = {
                GroupId(group): {
                    Place(_TOPIC, PartitionId(n)): NewPosition(offset=(number + n) % _RECORDS)
                    for n in range(_PARTITIONS)
                }
                for number, group in enumerate(groups[start : start + _AT_ONCE])
            }
            for results in (await commit_offsets(connected, wanted)).values():
                if isinstance(results, Exception) or any(results.values()):
                    raise RuntimeError(f"a position was not committed: {results}")


def _one_by_one(cluster: Cluster, groups: Iterable[str]) -> None:
    admin = AdminClient(client_settings(cluster))
    for group in groups:
        positions = [TopicPartition(_TOPIC, n, 500) for n in range(_PARTITIONS)]
        wanted = [ConsumerGroupTopicPartitions(group, positions)]
        for done in admin.alter_consumer_group_offsets(wanted).values():
            done.result(_PATIENCE_S)
