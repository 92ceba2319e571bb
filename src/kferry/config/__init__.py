"""How people tell kferry about their clusters: files and values in, typed settings out.

Owns kferry.yaml, the Java client properties format, secrets and their references, and the settings
types. Reads files and the environment; opens no connection.
"""

from kferry.config.load import cluster_settings, load_cluster, load_properties, parse_address
from kferry.config.migration_file import (
    CopySettings,
    Given,
    LedgerSettings,
    MigrationFile,
    check_migration_name,
    load_migration_file,
)
from kferry.config.plan_settings import (
    MM2_EXCLUDES,
    TARGETS_DEFAULT,
    AccessWishes,
    ConfigWish,
    TopicWishes,
    config_patterns,
    parse_replication,
)
from kferry.config.quantities import parse_duration, parse_rate
from kferry.config.renaming import Renaming
from kferry.config.selection import LEDGER_PREFIX, TopicSelection
from kferry.config.settings import ClusterSettings, Protocol, SaslSettings, Secret, TlsSettings
from kferry.config.starts import (
    Beginning,
    FromEnd,
    Moment,
    Since,
    Start,
    Unconsumed,
    parse_time,
)
from kferry.config.topics_section import check_rename

__all__ = [
    "LEDGER_PREFIX",
    "MM2_EXCLUDES",
    "TARGETS_DEFAULT",
    "AccessWishes",
    "Beginning",
    "ClusterSettings",
    "ConfigWish",
    "CopySettings",
    "FromEnd",
    "Given",
    "LedgerSettings",
    "MigrationFile",
    "Moment",
    "Protocol",
    "Renaming",
    "SaslSettings",
    "Secret",
    "Since",
    "Start",
    "TlsSettings",
    "TopicSelection",
    "TopicWishes",
    "Unconsumed",
    "check_migration_name",
    "check_rename",
    "cluster_settings",
    "config_patterns",
    "load_cluster",
    "load_migration_file",
    "load_properties",
    "parse_address",
    "parse_duration",
    "parse_rate",
    "parse_replication",
    "parse_time",
]
