"""Finding the topics that are meant.

Owns telling apart a topic that does not exist from one that may not be seen.
"""

from kferry.admin.operations import Operation, Resource
from kferry.admin.view import DENIED, Gap, Question, View
from kferry.admin.visibility import left_out
from kferry.config import TopicSelection
from kferry.names import TopicName
from kferry.wire import BrokerError, Cluster, Topic

_TOPIC = Question(subject="topics", since="0.10", right=Operation.DESCRIBE, on=Resource.TOPIC)


async def selected_topics(
    cluster: Cluster, selection: TopicSelection, view: View
) -> tuple[dict[TopicName, Topic], list[Gap]]:
    """Return the selected topics by name, and why others are missing that were named outright."""
    metadata = await cluster.refresh(None)
    found = {
        name: topic
        for name, topic in sorted(metadata.topics.items())
        if selection.matches(name, internal=topic.internal) and not topic.error_code
    }
    gaps = await _missing(cluster, view, selection.exact - found.keys())
    if selection.patterns or not selection.exact:
        gaps += await left_out(cluster, view, Resource.TOPIC)
    return found, gaps


async def _missing(cluster: Cluster, view: View, names: frozenset[TopicName]) -> list[Gap]:
    if not names:
        return []
    # A list of all topics leaves out what may not be seen; asked by name, the broker says so.
    by_name = (await cluster.refresh(names)).topics
    hidden = {
        name: BrokerError(by_name[name].error_code, name)
        for name in sorted(names)
        if name in by_name and by_name[name].error_code in DENIED
    }
    absence = f"does not exist{'' if view.tells_hidden_from_absent else ', or may not be seen'}"
    return view.gaps(_TOPIC, hidden) + [
        Gap(subject=f"topic {name}", reason=absence, concerns=(name,))
        for name in sorted(names - hidden.keys())
    ]
