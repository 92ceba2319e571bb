"""Every key of kferry.yaml and what it does, for those who write one.

Owns the words. A test holds them against the keys that are read.
"""

from dataclasses import dataclass

from kferry.migration.init_yaml import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key; `example` is what stands there, switched off, where nothing else is known."""

    name: str
    says: str
    example: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A section and its keys."""

    name: str
    says: str
    keys: tuple[Key, ...]
    optional: bool = True
    """Whether the section may be there with nothing in it."""


NAME = Key(
    name="name",
    says="What the migration is called; its memory is the topic __kferry.NAME on the target. "
    "Without it the name is made of the source's cluster id.",
    example="orders-2026",
)

_CLUSTER_KEYS = (
    Key(
        name="bootstrap",
        says="One or more brokers, HOST:PORT.",
        example=["kafka-1:9092", "kafka-2:9092"],
    ),
    Key(
        name="properties",
        says="A Java client's properties file, as Kafka's own tools take it (--command-config). "
        "Paths are relative to this file.",
        example="client.properties",
    ),
    Key(
        name="settings",
        says="Or keys of such a file, right here; they win over it. Secrets are refused: write "
        "${NAME} for the environment, ${file:/path} or ${file:/path:key} for a file.",
        example={
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required "
            'username="kferry" password="${KFERRY_PASSWORD}";',
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": "ca.pem",
        },
    ),
)

CHAPTERS = (
    Chapter(
        name="source",
        says="Where records come from. Nothing is written there.",
        keys=_CLUSTER_KEYS,
        optional=False,
    ),
    Chapter(
        name="target",
        says="Where records go. kferry's own memory is kept there, too.",
        keys=_CLUSTER_KEYS,
        optional=False,
    ),
    Chapter(
        name="topics",
        says="Which topics, what they are called on the target, and what they are there. A pattern "
        "is a glob (orders*) or a /regular expression/, and means whole names of the source.",
        keys=(
            Key(
                name="include",
                says="Names and patterns. Without any: all topics that are not internal; internal "
                "ones only when they are named outright.",
                example=["orders", "payments-*", "/audit-[0-9]+/"],
            ),
            Key(
                name="exclude",
                says="Left out even where `include` means them.",
                example=["*-tmp"],
            ),
            Key(
                name="rename",
                says="New names: old to new, a glob with one * on either side, or an expression "
                r"with \1 for its first group. A whole name wins, then the first that fits.",
                example={"orders": "sales", "payments-*": "eu.payments-*"},
            ),
            Key(
                name="replication",
                says="`source`: as many replicas as on the source; `default`: the target's "
                "default; or a number. Never more than the target has brokers.",
                example="source",
            ),
            Key(
                name="configs",
                says="What topics shall have set whatever the source's have. `default` is what the "
                "target's brokers have. The last entry that fits a topic counts.",
                example={"payments-*": {"retention.ms": 604800000, "segment.bytes": "default"}},
            ),
            Key(
                name="exclude_configs",
                says="Configs, by name or pattern, that are not taken over from the source; all "
                "others that are set on a topic are.",
                example=["segment.*"],
            ),
            Key(
                name="mm2_excludes",
                says="Leave out what MirrorMaker 2 leaves out, too: min.insync.replicas, "
                "unclean.leader.election.enable, message.timestamp.type and their like.",
                example=False,
            ),
            Key(
                name="clamp",
                says="Bring values that the target does not allow to the nearest that it does. "
                "Without it they wait for a decision.",
                example=False,
            ),
            Key(
                name="change",
                says="Topics that may be changed where they exist on the target already. All "
                "others stay as they are, and differences are shown.",
                example=["payments-*"],
            ),
        ),
    ),
    Chapter(
        name="access",
        says="Access rules, users and quotas.",
        keys=(
            Key(name="acls", says="Whether access rules go along.", example=True),
            Key(
                name="principals",
                says="Who is called otherwise on the target, in rules and as users.",
                example={"User:alice": "User:alice-eu"},
            ),
            Key(
                name="hold_back_writes",
                says="Rules that allow WRITE and DELETE wait until cutover, so that nobody writes "
                "to the target before it.",
                example=False,
            ),
            Key(
                name="users",
                says="Whether SCRAM users go along. No broker gives their passwords away.",
                example=True,
            ),
            Key(
                name="secrets_file",
                says="Where their passwords are: a properties file, NAME=PASSWORD. Users without "
                "one are left behind, by name.",
                example="users.properties",
            ),
            Key(
                name="generate_passwords",
                says="Make up missing passwords and add them to that file (only its owner may "
                "read it).",
                example=False,
            ),
            Key(name="quotas", says="Whether client quotas go along.", example=True),
        ),
    ),
    Chapter(
        name="copy",
        says="How records are copied.",
        keys=(
            Key(
                name="start",
                says="`beginning`; `end` (only what comes from now on); `unconsumed` (at the "
                "smallest committed offset of all groups); or a time, 2026-03-01T12:00:00Z.",
                example="beginning",
            ),
            Key(
                name="rate",
                says="At most so many bytes per second. Without it as fast as both sides allow.",
                example="50MiB/s",
            ),
            Key(
                name="on_gap",
                says="Where the source has deleted records before they were copied: `stop` the "
                "partition, or `record` it and go on.",
                example="stop",
            ),
            Key(
                name="append",
                says="Also behind records that target topics hold already.",
                example=False,
            ),
            Key(
                name="suspend_retention",
                says="Hold retention back also on target topics that others created. On those that "
                "kferry creates it does so in any case, until the copy is complete.",
                example=False,
            ),
            Key(
                name="pipelining",
                says="`safe`: nothing twice, whatever happens; `relaxed`: faster for old records "
                "over long distances, for less of a promise.",
                example="safe",
            ),
        ),
    ),
    Chapter(
        name="ledger",
        says="The topic on the target in which kferry keeps what it knows.",
        keys=(
            Key(
                name="slots",
                says="Its partitions: into so many parts a copy can be divided.",
                example=8,
            ),
            Key(
                name="replication",
                says="Its replicas. Without it three, or as many as there are brokers.",
                example=3,
            ),
        ),
    ),
)
