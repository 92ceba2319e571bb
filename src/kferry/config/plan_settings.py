"""What people want of plan and apply: `topics` and `access` of kferry.yaml, and flags over them.

Owns the wishes and what each means for one topic, config or principal. Pure; asks no cluster.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from kferry.config.selection import Pattern, TopicSelection
from kferry.errors import ConfigError
from kferry.names import TopicName

TARGETS_DEFAULT = -1
"""A replication: the target's own default."""
_MOST_REPLICAS = 100

MM2_EXCLUDES = frozenset(
    {
        "follower.replication.throttled.replicas",
        "leader.replication.throttled.replicas",
        "log.message.timestamp.after.max.ms",
        "log.message.timestamp.before.max.ms",
        "message.timestamp.difference.max.ms",
        "message.timestamp.type",
        "min.insync.replicas",
        "unclean.leader.election.enable",
    }
)
"""What MirrorMaker 2 leaves out unless told otherwise: its `config.properties.exclude`."""


class ConfigWish(NamedTuple):
    """Configs that some topics shall have on the target, whatever the source's have."""

    topics: TopicSelection
    configs: Mapping[str, str | None]
    """None: the target's default, whatever is set on the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicWishes:
    """What topics shall be on the target. Names and patterns mean topics of the source."""

    replication: int | None = None
    """None: the source's. -1: the target's default."""
    exclude_configs: tuple[Pattern, ...] = ()
    mm2_excludes: bool = False
    """Leave out what MirrorMaker 2 leaves out, too."""
    clamp: bool = False
    """Bring values that the target does not allow to the nearest that it does."""
    change: TopicSelection | None = None
    """Topics that may be changed where they exist already; None: none."""
    configs: tuple[ConfigWish, ...] = ()

    def takes_config(self, config: str) -> bool:
        """Whether a config of the source's topic is taken over."""
        if self.mm2_excludes and config in MM2_EXCLUDES:
            return False
        return not any(one.expression.fullmatch(config) for one in self.exclude_configs)

    def may_change(self, topic: TopicName) -> bool:
        """Whether a topic that is on the target already may be changed there."""
        # Whoever is asked about an internal topic was told its name.
        return self.change is not None and self.change.matches(topic, internal=False)

    def configs_for(self, topic: TopicName) -> dict[str, str | None]:
        """Return what a topic shall have set in any case; the last wish for a config counts."""
        wanted: dict[str, str | None] = {}
        for wish in self.configs:
            if wish.topics.matches(topic, internal=False):
                wanted |= wish.configs
        return wanted

    def with_flags(
        self,
        *,
        replication: int | None = None,
        exclude_configs: Iterable[str] = (),
        mm2_excludes: bool = False,
        clamp: bool = False,
    ) -> "TopicWishes":
        """Put what the command line says on top; what it does not say stays."""
        return replace(
            self,
            replication=self.replication if replication is None else replication,
            exclude_configs=(*self.exclude_configs, *config_patterns(exclude_configs)),
            mm2_excludes=self.mm2_excludes or mm2_excludes,
            clamp=self.clamp or clamp,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessWishes:
    """What access rules, users and quotas shall be on the target."""

    acls: bool = True
    users: bool = True
    quotas: bool = True
    principals: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By full name, `User:alice` to `User:bob`."""
    hold_back_writes: bool = False
    """Rules that allow WRITE and DELETE wait until cutover."""
    secrets_file: Path | None = None
    """A properties file, `alice=password` each."""
    generate_passwords: bool = False
    """Make up what the secrets file does not hold, and add it there."""

    def principal(self, name: str) -> str:
        """Return what a principal, `User:alice`, is called on the target."""
        return self.principals.get(name, name)

    def user(self, name: str) -> str:
        """Return what a user, `alice`, is called on the target."""
        return self.principal(f"User:{name}").removeprefix("User:")

    def with_flags(
        self,
        *,
        secrets_file: Path | None = None,
        generate_passwords: bool = False,
        hold_back_writes: bool = False,
    ) -> "AccessWishes":
        """Put what the command line says on top; what it does not say stays."""
        return replace(
            self,
            secrets_file=secrets_file or self.secrets_file,
            generate_passwords=self.generate_passwords or generate_passwords,
            hold_back_writes=self.hold_back_writes or hold_back_writes,
        )


def config_patterns(texts: Iterable[str]) -> tuple[Pattern, ...]:
    """Read names of configs: plain, globs, or `/regular expressions/`."""
    return TopicSelection.parse((), exclude=texts).exclude


def parse_replication(text: str, *, where: str) -> int | None:
    """Read `source`, `default` or a number of replicas."""
    if text == "source":
        return None
    if text == "default":
        return TARGETS_DEFAULT
    if re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= _MOST_REPLICAS:
        return int(text)
    raise ConfigError(
        f"{where}: `{text}` is no replication",
        hint="write `source`, `default` (the target's), or a number of replicas",
    )


def full_principal(name: str, *, where: str) -> str:
    """Return a principal with its type; a bare name is a user's."""
    kind, sign, rest = name.partition(":")
    if not sign and name:
        return f"User:{name}"
    if not re.fullmatch(r"[A-Za-z]+", kind) or not rest:
        raise ConfigError(
            f"{where}: `{name[:80]}` is no principal", hint="write alice, or User:alice"
        )
    return name
