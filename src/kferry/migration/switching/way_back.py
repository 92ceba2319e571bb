"""What the way back needs on the source: a ledger, and a cluster that takes records exactly.

Owns making it ready beforehand, and taking it away again. It is the one thing that kferry writes to
a source, and only for a cutover that was asked to have a way back.
"""

from kafka.protocol.producer import InitProducerIdRequest

from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTopic, create_ledger, open_ledger
from kferry.ledger import delete_ledger as delete
from kferry.wire import Cluster


class NoWayBack(KferryError):
    """Records could not be brought back to this source."""

    code = "K253"
    exit_code = ExitCode.REFUSED


async def takes_back(source: Cluster) -> bool:
    """Whether records can be brought back exactly: brokers know idempotent producers (0.11)."""
    broker = next(iter(source.metadata.brokers))
    connection = await source.connection(broker)
    return connection.versions.supports(InitProducerIdRequest, 0)


async def prepare_way_back(source: Cluster, migration: str) -> LedgerTopic:
    """Make the ledger of the way back, or say why there can be none."""
    if not await takes_back(source):
        raise NoWayBack(
            "this source cannot take records back exactly",
            "Its brokers are older than 0.11 and know no idempotent producers.",
            hint="--no-way-back says that you go without",
        )
    return await create_ledger(source, migration)


async def delete_ledger(cluster: Cluster, migration: str) -> None:
    """Delete a ledger; one that is not there is no error."""
    ledger = await open_ledger(cluster, migration)
    if ledger is not None:
        await delete(cluster, ledger)
