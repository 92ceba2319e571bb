"""Does a list leave things out? — asked without doing.

Owns one question for each kind of list that brokers filter silently: describe what surely does not
exist. Whoever may not describe it is told so before anybody looks for it; whoever may has a right
to all names, or nearly: a rule against single names stays unnoticed.
"""

from kafka.protocol.admin import (
    DescribeGroupsRequest,
    DescribeGroupsResponse,
    DescribeTransactionsRequest,
    DescribeTransactionsResponse,
)

from kferry.admin.cluster import cluster_operations
from kferry.admin.operations import Operation, Resource
from kferry.admin.view import DENIED, Gap, View, incomplete
from kferry.names import TopicName
from kferry.wire import Cluster, UnsupportedApi

_NOBODY = "kferry-inspect-nobody"


async def left_out(cluster: Cluster, view: View, resource: Resource) -> list[Gap]:
    """Say that a list of this kind may be incomplete, if it may."""
    try:
        hidden = await _HIDDEN[resource](cluster, view)
    except UnsupportedApi:
        return []  # then the list could not be asked for either, and that was said
    return [incomplete(view, resource)] if hidden else []


async def _topics(cluster: Cluster, view: View) -> bool:
    if not view.tells_hidden_from_absent:
        return False
    name = TopicName(_NOBODY)
    topic = (await cluster.refresh({name})).topics.get(name)
    return topic is not None and topic.error_code in DENIED


async def _groups(cluster: Cluster, _: View) -> bool:
    operations = await cluster_operations(cluster)
    if operations is not None and Operation.DESCRIBE in operations:
        return False  # this right shows all groups
    answer = await cluster.request(DescribeGroupsRequest(groups=[_NOBODY]), DescribeGroupsResponse)
    return any(group.error_code in DENIED for group in answer.groups)


async def _transactions(cluster: Cluster, _: View) -> bool:
    answer = await cluster.request(
        DescribeTransactionsRequest(transactional_ids=[_NOBODY]), DescribeTransactionsResponse
    )
    return any(one.error_code in DENIED for one in answer.transaction_states)


_HIDDEN = {
    Resource.TOPIC: _topics,
    Resource.GROUP: _groups,
    Resource.TRANSACTIONAL_ID: _transactions,
}
