"""What a migration's ledger is called.

Owns the names. A migration may be called whatever a topic may, behind the prefix.
"""

import re

from kferry.ledger.errors import BadMigrationName
from kferry.names import TopicName

TOPIC_PREFIX = "__kferry."
_MIGRATION = re.compile(r"[A-Za-z0-9._-]{1,200}")


def ledger_topic(migration: str) -> TopicName:
    """Return the topic of a migration's ledger."""
    if not _MIGRATION.fullmatch(migration):
        raise BadMigrationName(
            f"a migration cannot be called {migration!r}",
            "its name becomes part of a topic's: letters, digits, '.', '_' and '-', at most 200",
            hint="kferry copy --migration NAME",
        )
    return TopicName(TOPIC_PREFIX + migration)


def migration_of(topic: str) -> str | None:
    """Return the migration whose ledger this topic is; None if it is no ledger."""
    name = topic.removeprefix(TOPIC_PREFIX)
    return name if name != topic and _MIGRATION.fullmatch(name) else None
