"""What a reader gets at most: a topic fetched from its start to its end, and nothing done with it.

    python -m bench.bare_fetch --cluster FILE --topic NAME

Owns the ceiling that verifying is held against. Four partitions at a time, a megabyte each, as
`verify` asks, and one page ahead. FILE is a Java client's properties file. Prints one JSON object.
"""

import argparse
import asyncio
import json
import resource
import time
from pathlib import Path

import uvloop

from bench.contest.topics import LIMITS
from kferry.admin.logs import LogReader
from kferry.admin.offsets import Place, offsets_at
from kferry.config import load_properties
from kferry.names import TopicName, TopicPartition
from kferry.records import batch_at, read_header
from kferry.wire import Cluster, open_cluster
from kferry.wire.fetch import READ_UNCOMMITTED

_AT_ONCE = 4


async def fetch_all(cluster: Cluster, topic: str) -> dict[str, float]:
    name = TopicName(topic)
    metadata = await cluster.refresh([name])
    partitions = [TopicPartition(name, one.id) for one in metadata.topics[name].partitions]
    ends = await offsets_at(cluster, partitions, Place.END)
    queue = iter(partitions)
    size = 0

    async def work() -> None:
        nonlocal size
        for partition in queue:
            fetched = await _one(cluster, partition, ends[partition])
            size += fetched  # not in one line: others add to it while this one waits

    before, began = _cpu(), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    seconds = time.perf_counter() - began
    return {"bytes": size, "seconds": seconds, "cpu_seconds": _cpu() - before}


async def _one(cluster: Cluster, partition: TopicPartition, end: int) -> int:
    log = LogReader(cluster, partition, 0, isolation=READ_UNCOMMITTED)
    size = 0
    while log.offset < end:
        page = await log.page()
        size += len(page.records)
        log.offset = _behind(page.records, log.offset)
    return size


def _behind(records: memoryview, offset: int) -> int:
    """Find the end of a page: the least that any reader must look at."""
    position = 0
    while (batch := batch_at(records, position)) is not None:
        position += len(batch)
        offset = read_header(batch).last_offset + 1
    return offset


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _main(arguments: argparse.Namespace) -> None:
    async with open_cluster(load_properties(arguments.cluster), LIMITS) as cluster:
        print(json.dumps(await fetch_all(cluster, arguments.topic)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.bare_fetch")
    parser.add_argument("--cluster", type=Path, required=True)
    parser.add_argument("--topic", required=True)
    uvloop.run(_main(parser.parse_args()))
