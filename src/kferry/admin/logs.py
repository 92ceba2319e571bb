"""Reading one partition from a place on, page by page: for settling, looking, comparing.

Owns one position. Knows nothing of what is done with what it reads.
"""

import asyncio

from kferry.admin.offsets import Place, list_offsets
from kferry.names import TopicPartition
from kferry.wire import BrokerError, Cluster, UnsupportedApi, WireError
from kferry.wire.fastpath import send_fetch
from kferry.wire.fetch import Fetched, FetchFrom, FetchQuestion

_PAGE = 1 << 20
_WAIT_MS = 200
_LEADER_NOT_AVAILABLE = 5


async def is_local(cluster: Cluster, partition: TopicPartition, offset: int) -> bool:
    """Whether a page without records means that there are none (KIP-405).

    A broker that waits for its remote storage in vain answers with nothing, and with no error.
    """
    found = (await list_offsets(cluster, [partition], Place.LOCAL_START))[partition]
    if isinstance(found, UnsupportedApi):
        return True  # nor has it remote storage
    if isinstance(found, WireError):
        raise found
    return found.offset <= offset


class LogReader:
    """Reads pages; `offset` is moved by whoever reads, for holes are theirs to judge."""

    def __init__(
        self,
        cluster: Cluster,
        partition: TopicPartition,
        offset: int,
        *,
        isolation: int,
        most: int = _PAGE,
    ) -> None:
        self._cluster = cluster
        self._partition = partition
        self.isolation = isolation
        self._most = most
        self.offset = offset
        self.wait_ms = _WAIT_MS
        """How long the broker may look for something."""

    async def page(self) -> Fetched:
        """Fetch what comes next; nothing, if nothing is there within a moment."""
        leader = self._cluster.metadata.leader(self._partition)
        if leader is None:
            metadata = await self._cluster.refresh({self._partition.topic})
            leader = metadata.leader(self._partition)
        if leader is None:
            raise BrokerError(_LEADER_NOT_AVAILABLE, str(self._partition))
        question = FetchQuestion(
            partitions=[
                FetchFrom(partition=self._partition, offset=self.offset, max_bytes=self._most)
            ],
            max_wait_ms=self.wait_ms,
            min_bytes=1,
            max_bytes=self._most,
            isolation=self.isolation,
        )
        while True:
            connection = await self._cluster.connection(leader)
            await asyncio.sleep(connection.muted_for)
            answer = await send_fetch(connection, question, seconds=self._cluster.limits.request)
            # A quota makes brokers answer with nothing, which must not be taken for nothing there.
            if not answer.throttle_ms or any(one.records for one in answer.partitions):
                break
        if answer.error_code or not answer.partitions:
            raise BrokerError(answer.error_code or _LEADER_NOT_AVAILABLE, str(self._partition))
        (fetched,) = answer.partitions
        if fetched.error_code:
            raise BrokerError(fetched.error_code, str(self._partition))
        return fetched
