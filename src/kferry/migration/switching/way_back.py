"""What the way back needs on the source: a ledger, and a cluster that takes records exactly.

Owns finding out whether it does, making it ready beforehand, and taking it away again. It is the
one thing that kferry writes to a source, and only for a cutover that was asked to have a way back.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kafka.protocol.producer import InitProducerIdRequest

from kferry.admin.configs import broker_configs, topic_configs
from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTopic, create_ledger, open_ledger
from kferry.ledger import delete_ledger as delete
from kferry.names import TopicName
from kferry.wire import BrokerError, Cluster, WireError

_FORMAT = "message.format.version"
_PROTOCOL = "inter.broker.protocol.version"
_WITH_PRODUCER_IDS = (0, 11)
_FORMAT_UNHEEDED_SINCE = (3, 0)  # KIP-724
_KEEPS_PRODUCERS = (2, 5)  # KIP-360
_KNOWS_ZSTD = (2, 1)  # KIP-110


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """What a source's age allows."""

    release: str
    brokers: bool
    """Whether brokers know idempotent producers (0.11)."""
    old_formats: Mapping[TopicName, str]
    """Topics that store records in a format from before producers had ids, and which."""
    untold: tuple[TopicName, ...] = ()
    """Topics whose format we may not ask for."""
    forgetful: bool = False
    """Whether brokers forget producers early (before 2.5): a copy settles more often."""
    zstd: bool = True
    """Whether brokers know this compression (2.1); what comes in it cannot be brought back else."""

    @property
    def possible(self) -> bool:
        """Whether all records can come back, exactly."""
        return self.brokers and not self.old_formats


class NoWayBack(KferryError):
    """Records could not be brought back to this source."""

    code = "K253"
    exit_code = ExitCode.REFUSED


async def takes_back(source: Cluster) -> bool:
    """Whether records can be brought back exactly: brokers know idempotent producers (0.11)."""
    broker = next(iter(source.metadata.brokers))
    connection = await source.connection(broker)
    return connection.versions.supports(InitProducerIdRequest, 0)


async def look_at_return(source: Cluster, topics: Collection[TopicName]) -> Returning:
    """Find out what the source allows. Changes nothing."""
    versions = (await source.any_connection()).versions
    if not await takes_back(source):
        return Returning(release=versions.release, brokers=False, old_formats={})
    old: dict[TopicName, str] = {}
    untold = []
    if await _heeds_formats(source):
        for name, configs in (await topic_configs(source, topics)).items():
            found = None if isinstance(configs, BrokerError) else configs.get(_FORMAT)
            if found is None or found.value is None:
                untold.append(name)
            elif _number(found.value) < _WITH_PRODUCER_IDS:
                old[name] = found.value
    return Returning(
        release=versions.release,
        brokers=True,
        old_formats=old,
        untold=tuple(sorted(untold)),
        forgetful=versions.release_number < _KEEPS_PRODUCERS,
        zstd=versions.release_number >= _KNOWS_ZSTD,
    )


async def _heeds_formats(source: Cluster) -> bool:
    """Whether topics may store another format than the present one.

    It is not the release that decides: brokers of 3.x heed it while they still speak as before 3.0.
    """
    connection = await source.any_connection()
    release = connection.versions.release_number
    if release < _FORMAT_UNHEEDED_SINCE:
        return True
    if release >= (4, 0):
        return False
    try:
        configs = await broker_configs(source, next(iter(source.metadata.brokers)))
    except WireError:
        return True
    found = configs.get(_PROTOCOL)
    return found is None or found.value is None or _number(found.value) < _FORMAT_UNHEEDED_SINCE


def _number(version: str) -> tuple[int, ...]:
    """Read `0.10.2-IV0` as (0, 10, 2)."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())


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
