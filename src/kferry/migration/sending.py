"""The verb `messages send`: a few records to a topic, where that does no harm.

Owns the refusals: a copy stops where somebody else writes behind it, and a source is left alone.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kferry.config import LEDGER_PREFIX, ClusterSettings
from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTooNew, find_ledgers, open_ledger
from kferry.messages import Sender
from kferry.migration.looking import LIMITS, topic_of
from kferry.migration.maps import Maps, read_documents
from kferry.names import TopicName
from kferry.wire import Cluster, open_cluster


class NotHere(KferryError):
    """Sending there would do harm."""

    code = "K276"
    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Where records are to go."""

    settings: ClusterSettings
    side: str
    topic: TopicName
    force: bool = False


@asynccontextmanager
async def open_sender(goal: Goal) -> AsyncIterator[Sender]:
    """Connect, and refuse what would do harm; nothing is sent yet."""
    async with open_cluster(goal.settings, LIMITS) as cluster:
        topic = await topic_of(cluster, goal.topic)
        if topic.internal or goal.topic.startswith(LEDGER_PREFIX):
            raise NotHere(
                f"{goal.topic} is internal, and only its owner may write there",
                hint="name a topic of an application",
                changed="Nothing was sent.",
            )
        if not goal.force:
            await _refuse(cluster, goal)
        yield Sender(cluster=cluster, topic=goal.topic, partitions=len(topic.partitions))


async def _refuse(cluster: Cluster, goal: Goal) -> None:
    if goal.side == "source":
        raise NotHere(
            "nothing is written to a source unless it is asked for outright",
            f"what is sent to {goal.topic} there is a record like those of applications: it is "
            "copied and consumed",
            hint="with --force it is sent",
            changed="Nothing was sent.",
        )
    for name in await find_ledgers(cluster):
        ledger = await open_ledger(cluster, name)
        if ledger is None:
            continue
        try:
            maps = Maps.of(await read_documents(cluster, ledger))
        except LedgerTooNew as error:
            raise NotHere(
                f"a later release of kferry wrote the ledger of the migration {name}",
                f"Whether that copies to {goal.topic} cannot be told, and a record from somebody "
                "else stops the copy of its partition.",
                hint=f"{error.hint}; with --force it is sent all the same",
                changed="Nothing was sent.",
            ) from error
        if any(entry.target == goal.topic for entry in maps.topics.values()):
            raise NotHere(
                f"{goal.topic} is being copied to, by the migration {name}",
                "A record from somebody else stops the copy of its partition, because the offsets "
                "behind it are no longer those that the copy counts on.",
                hint="send to another topic; with --force it is sent all the same",
                changed="Nothing was sent.",
            )
