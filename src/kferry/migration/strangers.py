"""Topics that a migration wrote down and did not make: somebody else was first.

Owns telling these from what was made by a process that died before it could say so. A topic that
we make shows settings that nobody gives by himself; what does not show them is somebody else's, and
is neither enlarged nor given settings without being asked for.
"""

from collections.abc import Iterable

from kferry.migration.book import TopicEntry
from kferry.names import TopicName
from kferry.topics import suspended
from kferry.wire import Cluster


async def made_by_others(target: Cluster, entries: Iterable[TopicEntry]) -> set[TopicName]:
    """Return, by the source's names, whose counterparts are there and are not ours."""
    unseen = [one for one in entries if one.created and one.target_id is None]
    if not unseen:
        return set()
    there = (await target.refresh({one.target for one in unseen})).topics
    present = [one for one in unseen if one.target in there and not there[one.target].error_code]
    ours = await suspended(target, [one.target for one in present])
    return {one.source for one in present if one.target not in ours}
