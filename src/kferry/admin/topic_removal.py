"""Topics taken away, with all they hold.

Owns DeleteTopics. Which topics may go, and who agreed to it, is decided by whoever asks.
"""

from collections.abc import Sequence

from kafka.protocol.admin import DeleteTopicsRequest, DeleteTopicsResponse

from kferry.admin.topic_changes import Refusals
from kferry.names import TopicName
from kferry.wire import BrokerError, Cluster, Topic

_NOT_THERE, _NO_SUCH_ID = 3, 100
_NOTHING_SAID = -1
_PER_CALL = 500
_TIMEOUT_MS = 20_000


async def delete_topics(cluster: Cluster, topics: Sequence[Topic]) -> Refusals:
    """Delete topics as metadata showed them: a namesake that was made since is spared."""
    refusals: Refusals = {}
    for start in range(0, len(topics), _PER_CALL):
        refusals |= await _delete_by_id(cluster, topics[start : start + _PER_CALL])
    return refusals


async def _delete_by_id(cluster: Cluster, topics: Sequence[Topic]) -> Refusals:
    by_id: dict[object, str] = {one.id: one.name for one in topics if one.id is not None}
    state = DeleteTopicsRequest.DeleteTopicState
    request = DeleteTopicsRequest(
        topics=[
            state(topic_id=one.id) if one.id is not None else state(name=one.name) for one in topics
        ],
        topic_names=[one.name for one in topics],  # for brokers before 2.8
        timeout_ms=_TIMEOUT_MS,
    )
    answer = await cluster.at_controller(
        request,
        DeleteTopicsResponse,
        codes=lambda answer: (one.error_code for one in answer.responses),
    )
    said: Refusals = {}
    for one in answer.responses:
        name = by_id.get(one.topic_id, str(one.name))
        gone = one.error_code in {_NOT_THERE, _NO_SUCH_ID}
        said[TopicName(name)] = (
            BrokerError(one.error_code, f"topic {name}", one.error_message)
            if one.error_code and not gone
            else None
        )
    return {
        one.name: said.get(one.name, BrokerError(_NOTHING_SAID, f"topic {one.name}"))
        for one in topics
    }
