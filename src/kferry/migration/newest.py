"""The documents of a ledger, kept as new as they are for whoever works for long.

Owns reading no more of the ledger than what came since. Writes nothing.
"""

from typing import Any

from kferry.copying import partition_of
from kferry.ledger import LedgerTail, LedgerTopic, read_ledger
from kferry.migration.book import is_topic
from kferry.migration.maps import Maps, insist, merged
from kferry.wire import Cluster


class Newest:
    """A ledger's documents and the offset maps in them."""

    def __init__(self, documents: dict[str, Any], tail: LedgerTail) -> None:
        self._documents = documents
        self._tail = tail
        self.maps = Maps.of(documents)

    @classmethod
    async def read(cls, target: Cluster, ledger: LedgerTopic, *, source: Cluster) -> "Newest":
        """Read everything once, and insist that it is about these clusters."""
        contents = await read_ledger(target, ledger)
        documents = merged(contents)
        insist(documents, target, source)
        return cls(documents, LedgerTail(target, ledger, range(ledger.slots), contents.ends))

    async def catch_up(self) -> bool:
        """Read what is new, and say whether more is copied than before."""
        copied = remapped = False
        while documents := await self._tail.poll(seconds=0):
            for document in documents:
                if document.value is None:
                    self._documents.pop(document.key, None)
                else:
                    self._documents[document.key] = document.value
                if (partition := partition_of(document.key)) is not None:
                    self.maps.forget(partition)
                    copied = True
                remapped |= is_topic(document.key)
        if remapped:
            self.maps = Maps.of(self._documents)
        return copied or remapped
