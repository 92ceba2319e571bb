"""What the target takes at most: a topic's own batches, ready in memory, produced back to back.

    python -m bench.ceiling --source FILE --target FILE --topic NAME

Owns the ceiling that copies are held against. Everything is fetched and patched beforehand; the
clock runs from the first produce request to the last answer, at most five in flight. FILE is a Java
client's properties file. Prints one JSON object.
"""

import argparse
import asyncio
import json
import resource
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import uvloop
from kafka.protocol.producer import InitProducerIdRequest, InitProducerIdResponse

from bench.contest.topics import LIMITS, all_batches
from kferry.config import load_properties
from kferry.names import TopicName, TopicPartition
from kferry.records import Stamp, patch, read_header
from kferry.wire import Cluster, Connection, open_cluster
from kferry.wire.fastpath import submit_produce
from kferry.wire.produce import Batch, ProduceAnswer

IN_FLIGHT = 5
_SEQUENCES = 1 << 31

Batches = Mapping[TopicPartition, Sequence[memoryview]]


async def ceiling(source: Path, target: Path, topic: str) -> dict[str, float]:
    """Fetch everything, then produce it."""
    async with open_cluster(load_properties(source), LIMITS) as theirs:
        batches = await all_batches(theirs, topic)
    async with open_cluster(load_properties(target), LIMITS) as ours:
        await ours.refresh([TopicName(topic)])
        records, size = await _stamp_all(ours, batches)
        lanes = await _lanes(ours, batches)
        before, began = _cpu(), time.perf_counter()
        await asyncio.gather(*(_send_all(at, own) for at, own in lanes.items()))
        seconds = time.perf_counter() - began
        return {
            "records": records,
            "bytes": size,
            "seconds": seconds,
            "cpu_seconds": _cpu() - before,
        }


async def _stamp_all(cluster: Cluster, batches: Batches) -> tuple[int, int]:
    request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
    owner = await cluster.request(request, InitProducerIdResponse)
    records = size = 0
    for own in batches.values():
        sequence = 0
        for batch in own:
            patch(batch, Stamp(owner.producer_id, owner.producer_epoch, sequence))
            count = read_header(batch).count
            sequence = (sequence + count) % _SEQUENCES
            records += count
            size += len(batch)
    return records, size


async def _lanes(cluster: Cluster, batches: Batches) -> dict[Connection, Batches]:
    lanes: dict[Connection, dict[TopicPartition, Sequence[memoryview]]] = defaultdict(dict)
    for partition, own in batches.items():
        leader = cluster.metadata.leader(partition)
        if leader is None:
            raise RuntimeError(f"{partition} has no leader on the target")
        lanes[await cluster.connection(leader)][partition] = own
    return dict(lanes)


async def _send_all(connection: Connection, batches: Batches) -> None:
    """One batch of each partition per request: a broker takes no more."""
    window: deque[asyncio.Task[ProduceAnswer]] = deque()
    for number in range(max(map(len, batches.values()), default=0)):
        if len(window) == IN_FLIGHT:
            _insist(await window.popleft())
        some = [Batch(at, [own[number]]) for at, own in batches.items() if number < len(own)]
        await connection.writable()
        answer = submit_produce(connection, some, seconds=LIMITS.request)
        window.append(asyncio.create_task(answer))
    for waiting in window:
        _insist(await waiting)


def _insist(answer: ProduceAnswer) -> None:
    for one in answer.partitions:
        if one.error_code:
            raise RuntimeError(f"{one.partition}: error {one.error_code} {one.error_message or ''}")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--topic", required=True)
    wanted = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(ceiling(wanted.source, wanted.target, wanted.topic))))


if __name__ == "__main__":
    main()
