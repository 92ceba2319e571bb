"""The offset maps of a migration, as its ledger holds them.

Owns finding and reading them, each when it is first asked for: a ledger may hold thousands, and a
group stands in a few. A map is as old as the last checkpoint; what came later is "not yet".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kferry.copying import position_key, read_all_runs, read_digests, read_position
from kferry.ledger import Contents, LedgerTopic, read_ledger
from kferry.migration.book import TopicEntry, read_manifest, read_topics
from kferry.migration.ownership import plain
from kferry.names import SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import OffsetMap
from kferry.records import Digested
from kferry.wire import Cluster

Documents = Mapping[str, Mapping[str, Any]]


async def read_documents(
    target: Cluster, ledger: LedgerTopic, *, source: Cluster | None = None
) -> Documents:
    """Read a whole ledger, and insist that it is about these clusters."""
    documents = merged(await read_ledger(target, ledger))
    insist(documents, target, source)
    return documents


def merged(contents: Contents) -> dict[str, Mapping[str, Any]]:
    """Put the documents of all slots together; those of one slot stay in the log's order."""
    return {key: value for own in plain(contents).values() for key, value in own.items()}


def insist(documents: Documents, target: Cluster, source: Cluster | None) -> None:
    """Refuse a ledger of other clusters."""
    manifest = read_manifest(documents)
    if manifest is not None:
        manifest.insist(
            source_id=None if source is None else source.metadata.cluster_id or "unknown",
            target_id=target.metadata.cluster_id or "unknown",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Maps:
    """What a ledger's documents know of where records lie."""

    documents: Documents
    topics: Mapping[TopicName, TopicEntry]
    """By their names on the source."""
    _read: dict[TopicPartition, OffsetMap | None] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Documents) -> "Maps":
        """Make it of all documents of a ledger."""
        return cls(documents=documents, topics=read_topics(documents))

    @property
    def sources(self) -> dict[TopicName, TopicName]:
        """Name the target's topics on the source."""
        return {entry.target: name for name, entry in self.topics.items()}

    def target_of(self, partition: TopicPartition) -> TopicPartition | None:
        """Return where a partition of the source is copied to; None: it is not."""
        entry = self.topics.get(partition.topic)
        return None if entry is None else TopicPartition(entry.target, partition.partition)

    def map_of(self, partition: TopicPartition) -> OffsetMap | None:
        """Return the map of a partition of the source; None: its copy has not begun."""
        if partition not in self._read:
            self._read[partition] = self._map_of(partition)
        return self._read[partition]

    def forget(self, partition: TopicPartition) -> None:
        """Read a partition's map anew when it is asked for next: its documents have changed."""
        self._read.pop(partition, None)

    def digests_of(self, partition: TopicPartition) -> tuple[Digested, ...]:
        """Return the digests that were taken while a partition was copied."""
        key = position_key(partition)
        if key not in self.documents:
            return ()
        position = read_position(key, self.documents[key])
        return tuple(read_digests(partition, position, self.documents))

    def _map_of(self, partition: TopicPartition) -> OffsetMap | None:
        key = position_key(partition)
        if key not in self.documents:
            return None
        position = read_position(key, self.documents[key])
        return OffsetMap(
            runs=read_all_runs(partition, position, self.documents),
            begins=SourceOffset(position.begins),
            copied_to=SourceOffset(position.copied_to),
            target_end=TargetOffset(position.next_target),
        )
