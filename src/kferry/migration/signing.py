"""A ledger's first document: which clusters it is between.

Owns writing it where no copy has done so.
"""

from kferry.ledger import LedgerTopic, append
from kferry.migration.book import Manifest, read_manifest
from kferry.migration.maps import Documents
from kferry.wire import Cluster


async def sign(
    target: Cluster, ledger: LedgerTopic, documents: Documents, *, source_id: str, target_id: str
) -> None:
    """Write down which clusters this is between, unless it was."""
    if read_manifest(documents) is None:
        ours = Manifest(migration=ledger.migration, source_id=source_id, target_id=target_id)
        await append(target, ledger, 0, [ours.document()])
