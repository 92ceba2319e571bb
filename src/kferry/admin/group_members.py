"""Who belongs to a group just now.

Owns the three calls that describe groups, one for each type that has one. Streams groups of the
type that came with 4.2 are listed with their state; their members are not asked for here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kafka.protocol.admin import DescribeGroupsRequest, DescribeGroupsResponse

from kferry.admin.assignments import read_assignment
from kferry.admin.group_homes import at_homes
from kferry.names import BrokerId, GroupId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, WireError
from kferry.wire.messages import (
    ConsumerGroupDescribeRequest,
    ConsumerGroupDescribeResponse,
    ShareGroupDescribeRequest,
    ShareGroupDescribeResponse,
)


class GroupType(StrEnum):
    """How a group shares its partitions out. Before 3.8 brokers do not tell: all are classic."""

    CLASSIC = "classic"
    CONSUMER = "consumer"
    SHARE = "share"
    STREAMS = "streams"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member; `instance_id` is there for a static one, which stays when its process ends."""

    member_id: str
    client_id: str
    host: str
    instance_id: str | None
    assigned: tuple[TopicPartition, ...] = ()
    """What it reads, where that can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A group's state and members at one moment."""

    state: str
    members: tuple[Member, ...]


_CALLS = {
    GroupType.CLASSIC: (DescribeGroupsRequest, DescribeGroupsResponse, "groups"),
    GroupType.CONSUMER: (ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, "group_ids"),
    GroupType.SHARE: (ShareGroupDescribeRequest, ShareGroupDescribeResponse, "group_ids"),
}
DESCRIBABLE = frozenset(_CALLS)


async def describe_groups(
    cluster: Cluster, kind: GroupType, homes: Mapping[GroupId, BrokerId]
) -> Outcomes[GroupId, Membership]:
    """Ask the coordinators of groups that are all of one type."""
    request_class, response_class, ids_field = _CALLS[kind]

    async def ask(broker: BrokerId, own: list[GroupId]) -> Outcomes[GroupId, Membership]:
        request = request_class(**{ids_field: own}, include_authorized_operations=False)
        answer = await cluster.at_broker(broker, request, response_class)
        return {GroupId(found.group_id): _membership(found) for found in answer.groups}

    return await at_homes(cluster, homes, ask)


def _membership(found: Any) -> Membership | WireError:
    if found.error_code:
        return BrokerError(found.error_code, found.group_id, getattr(found, "error_message", None))
    return Membership(
        state=found.group_state,
        members=tuple(
            sorted(map(_member, found.members), key=lambda m: (m.client_id, m.host, m.member_id))
        ),
    )


def _member(member: Any) -> Member:
    # The classic answer and the newer one name the same thing differently; share groups lack it.
    instance = getattr(member, "group_instance_id", None) or getattr(member, "instance_id", None)
    return Member(
        member_id=member.member_id,
        client_id=member.client_id,
        host=member.client_host.removeprefix("/"),
        instance_id=instance,
        assigned=_assigned(member),
    )


def _assigned(member: Any) -> tuple[TopicPartition, ...]:
    plain = getattr(member, "member_assignment", None)
    if isinstance(plain, bytes):
        return tuple(sorted(read_assignment(plain)))
    assignment = getattr(member, "assignment", None)
    return tuple(
        sorted(
            TopicPartition(TopicName(topic.topic_name), PartitionId(number))
            for topic in getattr(assignment, "topic_partitions", None) or ()
            for number in topic.partitions
        )
    )
