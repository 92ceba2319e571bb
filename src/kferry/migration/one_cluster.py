"""The topics of one cluster that a command is about, without any migration.

Owns finding them and the refusal of names that are not there: a mistyped topic never means nothing.
"""

from collections.abc import Sequence

from kferry.admin.view import DENIED
from kferry.config import TopicSelection
from kferry.migration.chosen import NoSuchTopic
from kferry.names import TopicName
from kferry.topics.names_near import no_such_topic
from kferry.wire import Cluster, Topic

EVERYTHING = TopicSelection()
_HINT = "kferry inspect topics shows what there is"


async def topics_of(
    cluster: Cluster, selection: TopicSelection, side: str
) -> dict[TopicName, Topic]:
    """Look the selected topics up, sorted; each name and pattern must mean at least one."""
    found = (await cluster.refresh(None)).topics
    absent = sorted(name for name in selection.exact if name not in found)
    if absent:
        raise await _absent(cluster, absent, list(found), side)
    named = {
        name: topic
        for name, topic in sorted(found.items())
        if not topic.error_code and selection.matches(name, internal=topic.internal)
    }
    unmatched = selection.unmatched(list(named))
    if unmatched:
        raise NoSuchTopic(f"no topic on the {side} matches {', '.join(unmatched)}", hint=_HINT)
    return named


async def _absent(
    cluster: Cluster, names: Sequence[TopicName], existing: Sequence[TopicName], side: str
) -> NoSuchTopic:
    """Tell what may not be seen from what is not there, where the broker does."""
    asked = (await cluster.refresh(names)).topics
    hidden = [name for name in names if name in asked and asked[name].error_code in DENIED]
    if hidden:
        return NoSuchTopic(
            f"not to be seen on the {side}, or not there: {', '.join(hidden)}",
            "Describe on the topic is missing.",
            hint="ask for Describe on it, or use another user's properties file",
        )
    near = "; ".join(no_such_topic(name, existing) for name in names)
    return NoSuchTopic(f"on the {side} there is {near}", hint=_HINT)
