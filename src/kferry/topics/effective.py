"""Configs of topics as they are in force, brokers' defaults included.

Owns asking for all topics at once so that one failure is the outcome of each.
"""

from collections.abc import Iterable

from kferry.admin.configs import Configs, topic_configs
from kferry.names import TopicName
from kferry.wire import Cluster, Outcomes, WireError


async def effective_configs(
    cluster: Cluster, topics: Iterable[TopicName]
) -> Outcomes[TopicName, Configs]:
    """Ask for the configs of many topics; what could not be asked is its outcome."""
    wanted = sorted(set(topics))
    try:
        return {**await topic_configs(cluster, wanted)}
    except WireError as error:
        return dict.fromkeys(wanted, error)
