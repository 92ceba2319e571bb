"""How people tell kferry about their clusters: files and values in, typed settings out.

Owns the Java client properties format, secrets and their references, and the settings types. Reads
files and the environment; opens no connection.
"""

from kferry.config.load import cluster_settings, load_cluster, load_properties, parse_address
from kferry.config.selection import TopicSelection
from kferry.config.settings import ClusterSettings, Protocol, SaslSettings, Secret, TlsSettings

__all__ = [
    "ClusterSettings",
    "Protocol",
    "SaslSettings",
    "Secret",
    "TlsSettings",
    "TopicSelection",
    "cluster_settings",
    "load_cluster",
    "load_properties",
    "parse_address",
]
