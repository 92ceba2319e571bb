"""A client that shares no code with kferry: confluent-kafka, told by Java client files."""

import re
import time
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AdminClient,
    ConfigResource,
    NewTopic,
)

PATIENCE_S = 40.0
_RENAMED = {"ssl.truststore.location": "ssl.ca.location"}


def client_config(properties: Path) -> dict[str, str]:
    """Translate a Java client file into librdkafka's words."""
    lines = properties.read_text().splitlines()
    java = dict(line.split("=", 1) for line in lines)
    config = {
        _RENAMED.get(key, key): value
        for key, value in java.items()
        if key in {"bootstrap.servers", "security.protocol", "sasl.mechanism", *_RENAMED}
    }
    if jaas := java.get("sasl.jaas.config"):
        found = re.search(r'username="(.+?)" password="(.+?)"', jaas)
        assert found is not None
        config["sasl.username"], config["sasl.password"] = found.groups()
    if keystore := java.get("ssl.keystore.location"):
        config["ssl.certificate.location"] = config["ssl.key.location"] = keystore
    return config


def create_topic(config: Mapping[str, str], topic: str, *, replicas: int = 1) -> None:
    admin = AdminClient(dict(config))  # kept: its futures die with it
    admin.create_topics([NewTopic(topic, 1, replicas)])[topic].result(PATIENCE_S)


def broker_settings(config: Mapping[str, str]) -> dict[str, str]:
    """Ask broker 1 for its settings."""
    admin = AdminClient(dict(config))
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    found = admin.describe_configs([broker])[broker].result(PATIENCE_S)
    return {key: str(entry.value) for key, entry in found.items()}


def send(config: Mapping[str, str], topic: str, value: str, *, patience_s: float = 20.0) -> None:
    """Send one record; raise what the broker says against it."""
    producer = Producer({**config, "message.timeout.ms": int(patience_s * 1000)})
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: object) -> None:
        if error is not None:
            failures.append(error)

    producer.produce(topic, value.encode(), on_delivery=delivered)
    producer.flush(patience_s)
    if failures:
        raise KafkaException(failures[0])


def read(config: Mapping[str, str], topic: str, *, patience_s: float = 20.0) -> str:
    """Return the first record of a topic's first partition."""
    consumer = Consumer({**config, "group.id": "judge", "enable.auto.commit": False})
    deadline = time.monotonic() + patience_s
    try:
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        while time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None:
                continue
            error = message.error()
            if error is None:
                return bytes(message.value() or b"").decode()
            if error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:  # the topic may yet come
                raise KafkaException(error)
        raise TimeoutError(topic)
    finally:
        consumer.close()
