"""Topics taken away, with all they hold.

Owns DeleteTopics. Which topics may go, and who agreed to it, is decided by whoever asks.
"""

from collections.abc import Iterable

from kafka.protocol.admin import DeleteTopicsRequest, DeleteTopicsResponse

from kferry.admin.topic_changes import Refusals
from kferry.names import TopicName
from kferry.wire import BrokerError, Cluster

_NOT_THERE = 3
_TIMEOUT_MS = 20_000
_NAMES_UNTIL = 5
"""From version 6 on topics are named in another way; older ones do all that is needed here."""


async def delete_topics(cluster: Cluster, names: Iterable[TopicName]) -> Refusals:
    """Delete topics; one that is not there any more is no refusal."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    answer = await cluster.at_controller(
        DeleteTopicsRequest(topic_names=wanted, timeout_ms=_TIMEOUT_MS),
        DeleteTopicsResponse,
        codes=lambda answer: (one.error_code for one in answer.responses),
        most=_NAMES_UNTIL,
    )
    found = {TopicName(one.name): one.error_code for one in answer.responses}
    return {
        name: None if found[name] in {0, _NOT_THERE} else BrokerError(found[name], name)
        for name in wanted
    }
