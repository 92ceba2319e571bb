"""What comes into a ledger after it was read: wishes, snapshots, a new owner.

Owns the positions of one follower. Knows nothing of what the documents mean. It asks again and
again rather than letting brokers hold its question back, for that would hold up the copy on the
same connection.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping

from kferry.admin.offsets import Place, offsets_at
from kferry.ledger.documents import Document, Unreadable
from kferry.ledger.parsing import parse
from kferry.ledger.reading import fetch_slots
from kferry.ledger.topic import LedgerTopic
from kferry.names import BrokerId, TopicPartition
from kferry.wire import BrokerError, Cluster, WireError
from kferry.wire.fetch import Fetched
from kferry.wire.retry import may_pass

_INTERVAL = 0.25
_OUT_OF_RANGE = 1
_LEADER_NOT_AVAILABLE = 5


class LedgerTail:
    """Follows some slots from given offsets, or from their ends as the first poll finds them."""

    def __init__(
        self,
        cluster: Cluster,
        ledger: LedgerTopic,
        slots: Iterable[int],
        start: Mapping[int, int] | None = None,
    ) -> None:
        self.unreadable: list[Unreadable] = []
        """What the last poll left out."""
        self._cluster = cluster
        self._topic = ledger.topic
        self._partitions = [ledger.partition(slot) for slot in sorted(set(slots))]
        self._positions: dict[TopicPartition, int] = {
            partition: start[partition.partition]
            for partition in self._partitions
            if start is not None and partition.partition in start
        }
        self._failing_since: dict[TopicPartition, float] = {}
        self._leaders_moved = False

    async def poll(self, *, seconds: float) -> list[Document]:
        """Return what came since the last poll, after at most so long; empty if nothing did.

        A slot whose leader does not answer is an error only once it has been silent for the
        cluster's limit; what comes from others is returned meanwhile.
        """
        self.unreadable = []
        until = asyncio.get_running_loop().time() + seconds
        if unknown := [one for one in self._partitions if one not in self._positions]:
            self._positions |= await offsets_at(self._cluster, unknown, Place.END)
        while True:
            documents = await self._round()
            left = until - asyncio.get_running_loop().time()
            if documents or left <= 0:
                return documents
            await asyncio.sleep(min(left, _INTERVAL))

    async def _round(self) -> list[Document]:
        documents: list[Document] = []
        try:
            places = await self._places()
        except WireError as error:
            self._failed(self._partitions, error)
            return []
        answers = await asyncio.gather(*(self._ask(*place) for place in places.items()))
        for own, answer in zip(places.values(), answers, strict=True):
            if isinstance(answer, WireError):
                self._failed(own, answer)
                continue
            for partition, fetched in answer.items():
                documents += await self._take(partition, fetched)
        return documents

    async def _places(self) -> dict[BrokerId, list[TopicPartition]]:
        metadata = self._cluster.metadata
        if self._leaders_moved or any(metadata.leader(one) is None for one in self._partitions):
            metadata = await self._cluster.refresh({self._topic})
            self._leaders_moved = False
        places: dict[BrokerId, list[TopicPartition]] = defaultdict(list)
        for partition in self._partitions:
            leader = metadata.leader(partition)
            if leader is None:
                self._failed([partition], BrokerError(_LEADER_NOT_AVAILABLE, str(partition)))
            else:
                places[leader].append(partition)
        return places

    async def _ask(
        self, broker: BrokerId, own: list[TopicPartition]
    ) -> dict[TopicPartition, Fetched] | WireError:
        try:
            connection = await self._cluster.connection(broker)
            if connection.muted_for:
                return {}
            return await fetch_slots(
                connection,
                {partition: self._positions[partition] for partition in own},
                seconds=self._cluster.limits.request,
            )
        except WireError as error:
            return error

    async def _take(self, partition: TopicPartition, fetched: Fetched) -> list[Document]:
        if fetched.error_code == _OUT_OF_RANGE:  # cut off at one end or the other
            (start,) = (await offsets_at(self._cluster, [partition], Place.START)).values()
            (end,) = (await offsets_at(self._cluster, [partition], Place.END)).values()
            self._positions[partition] = start if self._positions[partition] < start else end
            return []
        if fetched.error_code:
            self._failed([partition], BrokerError(fetched.error_code, str(partition)))
            return []
        self._failing_since.pop(partition, None)
        page = parse(fetched.records, partition, self._positions[partition], None)
        self._positions[partition] = page.following
        self.unreadable += page.unreadable
        return page.documents

    def _failed(self, partitions: Iterable[TopicPartition], error: WireError) -> None:
        now = asyncio.get_running_loop().time()
        self._leaders_moved = True
        for partition in partitions:
            since = self._failing_since.setdefault(partition, now)
            if not may_pass(error) or now - since > self._cluster.limits.retry:
                raise error
