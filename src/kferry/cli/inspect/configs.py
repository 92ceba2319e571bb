"""`kferry inspect configs`: what was set on brokers; of two clusters, what differs first.

Owns how settings look, of one cluster and of two next to each other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kferry.admin.configs import ConfigValue, Origin
from kferry.brokers import (
    BrokerSettings,
    Pair,
    Setting,
    comparable,
    compare,
    disagree,
    take_settings,
    unusual,
)
from kferry.cli.console import answer, answer_json
from kferry.cli.inspect.sides import (
    Inspection,
    Look,
    finish,
    look_at_sides,
    show_gaps,
    show_side,
    show_title,
    sides_json,
)
from kferry.cli.options import Options
from kferry.cli.tables import Row, remarked, table, text
from kferry.errors import ExitCode
from kferry.units import many

_ORIGINS = {
    Origin.BROKER_DYNAMIC: "dynamic, one broker",
    Origin.CLUSTER_DYNAMIC: "dynamic, all brokers",
    Origin.BROKER_STATIC: "file",
    Origin.DEFAULT: "default",
}


def configs(*, options: Options | None = None) -> ExitCode:
    """Broker configs that are not the default; between brokers, and between both sides, ≠ differs.

    With both sides named, what somebody set on one is shown as both have it.
    """
    options = options or Options()
    inspection = Inspection(
        name="configs", ask=take_settings, show=_show, as_json=_as_json, then="check"
    )
    looks = look_at_sides(options, inspection)
    told = [look.found for look in looks if look.found is not None and look.found.brokers]
    pairs = compare(*told) if len(told) == 2 else []
    if options.json:
        different = [mine.name for mine, theirs in pairs if disagree(mine, theirs)]
        answer_json(sides_json(looks, inspection) | ({"different": different} if pairs else {}))
    elif pairs:
        _show_both(looks, pairs)
    else:
        for look in looks:
            show_side(look, inspection)
    return finish(options, looks, then=inspection.then)


def _show(found: BrokerSettings) -> list[str]:
    if not found.brokers:
        return []
    settings = unusual(found)
    rows = [
        Row(
            cells=(one.name, _origins(one), "≠" if one.differs else _value_of_all(one)),
            remarks=_each(one) if one.differs else (),
        )
        for one in settings
    ]
    differing = sum(one.differs for one in settings)
    between = f", {differing:,} differ between them" if len(found.brokers) > 1 else ""
    total = f"  {many(len(settings), 'setting')} on {many(len(found.brokers), 'broker')}{between}"
    return [*table((text("setting"), text("from"), text("value")), rows), "", total]


def _show_both(looks: Sequence[Look[BrokerSettings]], pairs: Sequence[Pair]) -> None:
    for look in looks:
        show_title(look)
    answer()
    different = [pair for pair in pairs if disagree(*pair)]
    vague = [pair for pair in pairs if not comparable(*pair)]
    same = [pair for pair in pairs if comparable(*pair) and not disagree(*pair)]
    lines = [*_beneath("≠ different", different), *_beneath("· cannot be compared", vague)]
    if same:
        rows = [Row(cells=(mine.name, _value_of_all(mine))) for mine, _ in same]
        lines += ["  = the same", *table((text("setting"), text("value")), rows, indent="    "), ""]
    for line in lines:
        answer(line)
    answer(f"  {len(different):,} different, {len(same):,} the same, {len(vague):,} not comparable")
    answer()
    show_gaps([gap for look in looks if look.found is not None for gap in look.found.gaps])


def _beneath(title: str, pairs: Sequence[Pair]) -> list[str]:
    """Show each side's values on lines of their own: they are often long."""
    lines: list[str] = []
    for mine, theirs in pairs:
        lines.append(f"    {mine.name}")
        for side, one in (("source", mine), ("target", theirs)):
            for value in _each(one) if one.differs else [_value_of_all(one)]:
                origin = f"  ({_origins(one)})" if one.values else ""
                lines += remarked(f"{side}  {value}{origin}", indent="  ")
    return [f"  {title}", *lines, ""] if lines else []


def _value_of_all(one: Setting) -> str:
    return next(map(_value, one.values.values()), "not known there")


def _each(one: Setting) -> list[str]:
    """Say who has which value where brokers disagree."""
    holders: dict[str, list[str]] = {}
    for broker, value in one.values.items():
        holders.setdefault(_value(value), []).append(str(broker))
    return [
        f"{'broker' if len(own) == 1 else 'brokers'} {', '.join(own)}: {value}"
        for value, own in holders.items()
    ]


def _value(value: ConfigValue) -> str:
    if value.value is None:
        return "(none)" if value.origin is Origin.DEFAULT else "(not told)"
    return value.value or "(empty)"


def _origins(one: Setting) -> str:
    return " + ".join(sorted({_ORIGINS.get(value.origin, "set") for value in one.values.values()}))


def _as_json(found: BrokerSettings) -> Mapping[str, Any]:
    return {
        "settings": [
            {
                "name": one.name,
                "differs": one.differs,
                "values": {
                    str(broker): {"value": value.value, "origin": value.origin.name.lower()}
                    for broker, value in one.values.items()
                },
            }
            for one in unusual(found)
        ]
    }
