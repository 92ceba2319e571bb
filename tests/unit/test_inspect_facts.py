"""The arithmetic behind `inspect`: lag, what was set, who hangs, what differs, what is missing."""

import pytest

from kferry.admin.configs import ConfigValue, Origin
from kferry.admin.group_offsets import Committed
from kferry.admin.operations import Operation, Resource
from kferry.admin.producers import PartitionProducer
from kferry.admin.transactions import Transaction
from kferry.admin.view import Question, View
from kferry.brokers import Setting, comparable, disagree
from kferry.groups.facts import Log, position
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.topics.facts import total
from kferry.topics.inventory import set_on_topic
from kferry.topics.writers import Coordinated, open_places, open_transactions
from kferry.wire import BrokerError, UnsupportedApi, WireError

ORDERS = TopicPartition(TopicName("orders"), PartitionId(0))
CONFIGS = Question(
    subject="topic configs", since="0.11", right=Operation.DESCRIBE_CONFIGS, on=Resource.TOPIC
)
ALICE = View(release="0.10.2", principal="User:alice")


@pytest.mark.parametrize(
    ("offset", "log", "lag", "trouble"),
    [
        (4, Log(start=0, end=10), 6, ""),
        (10, Log(start=0, end=10), 0, ""),
        (12, Log(start=0, end=10), 0, "2 past the last stable offset"),
        (2, Log(start=5, end=10), 5, "3 before the log's start: those are gone"),
        (4, Log(trouble="the topic does not exist any more"), None, "the topic does not exist any"),
    ],
)
def test_lag_counts_what_is_left_to_read(
    offset: int, log: Log, lag: int | None, trouble: str
) -> None:
    found = position(ORDERS, Committed(offset=offset, leader_epoch=3, metadata="m"), log)
    assert (found.lag, found.leader_epoch, found.metadata) == (lag, 3, "m")
    assert found.trouble.startswith(trouble)
    assert bool(found.trouble) == bool(trouble)


def test_a_share_groups_lag_is_the_brokers() -> None:
    committed = Committed(offset=4, leader_epoch=None, metadata="", lag=2)
    assert position(ORDERS, committed, Log(start=0, end=10)).lag == 2


def value(text: str | None, origin: Origin) -> ConfigValue:
    return ConfigValue(value=text, origin=origin)


def test_only_the_topics_own_settings_count_as_set() -> None:
    configs = {
        "retention.ms": value("1", Origin.TOPIC),
        "cleanup.policy": value("delete", Origin.DEFAULT),
        "min.insync.replicas": value("1", Origin.CLUSTER_DYNAMIC),
        "segment.bytes": value("2", Origin.BROKER_STATIC),
        "max.message.bytes": value("3", Origin.UNKNOWN),  # Kafka 0.11: no default, no more said
    }
    assert set_on_topic(configs) == {"retention.ms": "1", "max.message.bytes": "3"}


def test_nothing_known_is_not_nothing() -> None:
    assert total([None, None]) is None
    assert total([None, 0]) == 0
    assert total([1, None, 2]) == 3


def producer(producer_id: int, open_since: int | None) -> PartitionProducer:
    return PartitionProducer(
        producer_id=producer_id, epoch=1, last_sequence=0, last_timestamp=5, open_since=open_since
    )


def test_open_transactions_are_joined_by_producer_id() -> None:
    known = [(ORDERS, producer(7, 40)), (ORDERS, producer(8, 50)), (ORDERS, producer(9, None))]
    under_way = Transaction(
        id="tx-seven",
        producer_id=7,
        epoch=1,
        state="Ongoing",
        started=1000,
        timeout_ms=60_000,
        partitions=(ORDERS,),
    )
    coordinated = Coordinated(
        names={7: "tx-seven", 8: "tx-eight"}, under_way=(under_way,), gaps=(), complete=True
    )
    found = open_transactions(open_places(known), coordinated, hanging={8})
    assert [(one.transactional_id, one.state, one.hanging) for one in found] == [
        ("tx-eight", None, True),
        ("tx-seven", "Ongoing", False),
    ]
    assert found[1].open_since == ((ORDERS, 40),)


def test_what_is_not_told_differs_from_nothing() -> None:
    def setting(*values: ConfigValue) -> Setting:
        return Setting(name="x", values=dict(enumerate(values)))

    one, two = setting(value("1", Origin.BROKER_STATIC)), setting(value("2", Origin.DEFAULT))
    secret, unknown = setting(value(None, Origin.BROKER_STATIC)), setting()
    unset = setting(value(None, Origin.DEFAULT))
    assert disagree(one, two)
    assert disagree(one, unset)
    assert not disagree(one, one)
    assert not disagree(one, secret)
    assert not comparable(one, unknown)
    assert not comparable(secret, secret)


def test_a_gap_says_why_once_for_all_it_concerns() -> None:
    outcomes: dict[str, WireError | str] = {"ok": "fine"}
    outcomes |= {f"t{number}": BrokerError(29, "configs") for number in range(5)}
    (gap,) = ALICE.gaps(CONFIGS, outcomes)
    assert gap.reason == "User:alice lacks DescribeConfigs on topics: t0, t1, t2 and 2 more"
    assert gap.concerns == ("t0", "t1", "t2", "t3", "t4")
    assert gap.hint == (
        "kafka-acls --add --allow-principal 'User:alice' --operation DescribeConfigs --topic '*'"
    )


def test_a_gap_of_an_old_broker_says_since_when_it_can_be_asked() -> None:
    (gap,) = ALICE.gaps(CONFIGS, {"orders": UnsupportedApi("broker a", "DescribeConfigs", "")})
    assert gap.reason == "Kafka 0.10.2 cannot be asked for them, only 0.11 and later"
    assert not ALICE.tells_hidden_from_absent
    assert View(release="4.3", principal="").tells_hidden_from_absent


def test_one_missing_right_names_what_to_grant_it_on() -> None:
    (gap,) = ALICE.gaps(CONFIGS, {"orders": BrokerError(29, "configs of orders")})
    assert gap.hint.endswith("--topic 'orders'")
