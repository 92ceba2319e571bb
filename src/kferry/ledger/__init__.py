"""The migration's memory: documents in a compacted topic on the target cluster.

Owns the topic, the documents' form, and who may write them. Knows nothing of what they say: each
room encodes its own.
"""

from kferry.ledger.documents import VERSION, Document, Entry, Unreadable, Value
from kferry.ledger.errors import (
    BadMigrationName,
    DocumentTooLarge,
    LedgerCorrupt,
    LedgerDoubt,
    LedgerLost,
    LedgerNotCreated,
    LedgerRefused,
    LedgerTooNew,
    LedgerUnfit,
)
from kferry.ledger.leaving import delete_ledger, export_lines
from kferry.ledger.names import TOPIC_PREFIX, ledger_topic
from kferry.ledger.reading import Contents, read_ledger
from kferry.ledger.tail import LedgerTail
from kferry.ledger.topic import (
    DEFAULT_SLOTS,
    LEDGER_CONFIGS,
    LedgerTopic,
    create_ledger,
    find_ledgers,
    open_ledger,
)
from kferry.ledger.writing import SlotWriter, append

__all__ = [
    "DEFAULT_SLOTS",
    "LEDGER_CONFIGS",
    "TOPIC_PREFIX",
    "VERSION",
    "BadMigrationName",
    "Contents",
    "Document",
    "DocumentTooLarge",
    "Entry",
    "LedgerCorrupt",
    "LedgerDoubt",
    "LedgerLost",
    "LedgerNotCreated",
    "LedgerRefused",
    "LedgerTail",
    "LedgerTooNew",
    "LedgerTopic",
    "LedgerUnfit",
    "SlotWriter",
    "Unreadable",
    "Value",
    "append",
    "create_ledger",
    "delete_ledger",
    "export_lines",
    "find_ledgers",
    "ledger_topic",
    "open_ledger",
    "read_ledger",
]
