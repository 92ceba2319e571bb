"""confluent-kafka and how it is told where a cluster is: the one place that imports the package.

Owns the translation of settings. The records of a load come from a client that shares no code with
kferry, so that nobody marks their own homework.
"""

from kferry.config import ClusterSettings, load_properties
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.errors import MissingPartError

try:
    from confluent_kafka import (
        Consumer,
        ConsumerGroupTopicPartitions,
        KafkaError,
        KafkaException,
        Message,
        Producer,
        ShareConsumer,
        TopicPartition,
    )
    from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without __all__
        AdminClient,
        AlterConfigOpType,
        ConfigEntry,
        ConfigResource,
        NewTopic,
        ResourceType,
    )
except ModuleNotFoundError:
    raise MissingPartError(
        "loading a sandbox needs the package confluent-kafka",
        "it is not installed",
        hint="pip install 'kferry[sandbox]', then kferry sandbox load",
    ) from None

__all__ = [
    "AdminClient",
    "AlterConfigOpType",
    "ConfigEntry",
    "ConfigResource",
    "Consumer",
    "ConsumerGroupTopicPartitions",
    "KafkaError",
    "KafkaException",
    "Message",
    "NewTopic",
    "Producer",
    "ResourceType",
    "Settings",
    "ShareConsumer",
    "TopicPartition",
    "client_settings",
]

Settings = dict[str, str | int | float | bool]

_ONLY_CRITICAL = 2
"""All else comes back as errors, too; librdkafka's own log would mix with our narration."""


def client_settings(cluster: Cluster) -> Settings:
    """Return what every client needs to reach `cluster` as its administrator."""
    settings = load_properties(cluster.properties)
    return {
        "bootstrap.servers": ",".join(map(str, settings.bootstrap)),
        "security.protocol": settings.protocol,
        "client.id": "sandbox-load",
        "log_level": _ONLY_CRITICAL,
        **_tls(settings),
        **_sasl(settings),
    }


def _tls(settings: ClusterSettings) -> Settings:
    tls = settings.tls
    if not settings.protocol.tls:
        return {}
    found = {
        "ssl.ca.pem": tls.trusted,
        "ssl.certificate.pem": tls.certificate,
        "ssl.key.pem": tls.key and tls.key.reveal(),
        "ssl.key.password": tls.key_password and tls.key_password.reveal(),
    }
    return {key: value for key, value in found.items() if value}


def _sasl(settings: ClusterSettings) -> Settings:
    if settings.sasl is None:
        return {}
    return {
        "sasl.mechanism": settings.sasl.mechanism,
        "sasl.username": settings.sasl.username,
        "sasl.password": settings.sasl.password.reveal(),
    }
