"""Topics that belong to the target from now on.

Owns writing that down; a copy of this migration leaves them alone afterwards.
"""

import dataclasses
from datetime import UTC, datetime

from kferry.ledger import LedgerTopic, append
from kferry.migration.book import read_topics
from kferry.migration.maps import read_documents
from kferry.migration.switching.scope import Scope
from kferry.wire import Cluster


async def hand_over(target: Cluster, ledger: LedgerTopic, scope: Scope) -> None:
    """Write down of each topic that was copied that it is handed over."""
    entries = read_topics(await read_documents(target, ledger))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    switched = [
        dataclasses.replace(entry, switched=at).document()
        for name, entry in entries.items()
        if name in scope.topics and not entry.switched
    ]
    if switched:
        await append(target, ledger, 0, switched)
