"""The settings of brokers that are not the default, and where they differ.

Owns the comparison. A secret value is never told by a broker, so two of them cannot be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kferry.admin.configs import Configs, ConfigValue, Origin, broker_configs
from kferry.admin.operations import Operation, Resource
from kferry.admin.view import Gap, Question, view_of
from kferry.wire import Cluster, WireError, at_every_broker

SETTINGS = Question(
    subject="broker configs", since="0.11", right=Operation.DESCRIBE_CONFIGS, on=Resource.CLUSTER
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Every setting of every broker that told, defaults included."""

    brokers: Mapping[int, Configs]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key on all brokers of a cluster; a broker that does not know it is left out."""

    name: str
    values: Mapping[int, ConfigValue]

    @property
    def differs(self) -> bool:
        """Whether the brokers disagree."""
        return len({one.value for one in self.values.values()}) > 1

    @property
    def told(self) -> bool:
        """Whether brokers know the key and tell its value: they keep secrets to themselves."""
        hidden = (
            one.value is None and one.origin is not Origin.DEFAULT for one in self.values.values()
        )
        return bool(self.values) and not any(hidden)


Pair = tuple[Setting, Setting]
"""One key on the source and on the target."""


async def take_settings(cluster: Cluster) -> BrokerSettings:
    """Ask every broker for its own settings."""
    view = await view_of(cluster)
    found = await at_every_broker(cluster, lambda broker: broker_configs(cluster, broker))
    return BrokerSettings(
        brokers={
            broker: configs
            for broker, configs in sorted(found.items())
            if not isinstance(configs, WireError)
        },
        gaps=tuple(view.gaps(SETTINGS, found, lambda broker: f"broker {broker}")),
    )


def unusual(settings: BrokerSettings) -> list[Setting]:
    """Return the settings that somebody set on some broker, sorted."""
    return [_setting(name, settings) for name in sorted(_set_names(settings))]


def compare(source: BrokerSettings, target: BrokerSettings) -> list[Pair]:
    """Return what was set on either side as both have it, sorted; defaults may differ, too."""
    return [
        (_setting(name, source), _setting(name, target))
        for name in sorted(_set_names(source) | _set_names(target))
    ]


def comparable(one: Setting, other: Setting) -> bool:
    """Whether both clusters know the key and tell their value."""
    return one.told and other.told


def disagree(one: Setting, other: Setting) -> bool:
    """Whether two clusters are known to have different values."""
    mine = {value.value for value in one.values.values()}
    theirs = {value.value for value in other.values.values()}
    return comparable(one, other) and mine != theirs


def _set_names(settings: BrokerSettings) -> set[str]:
    return {
        name
        for configs in settings.brokers.values()
        for name, value in configs.items()
        if value.origin is not Origin.DEFAULT
    }


def _setting(name: str, settings: BrokerSettings) -> Setting:
    return Setting(
        name=name,
        values={
            broker: configs[name] for broker, configs in settings.brokers.items() if name in configs
        },
    )
