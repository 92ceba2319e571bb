"""`kferry inspect groups`: one line per group, with what is odd about its positions below.

Owns how groups look.
"""

from collections.abc import Mapping
from functools import partial
from itertools import groupby
from typing import Any

from kferry.admin.group_members import GroupType
from kferry.cli.inspect.sides import Inspection, inspect, plain
from kferry.cli.options import Options
from kferry.cli.tables import Row, number, table, text
from kferry.cli.words import NOTHING, UNKNOWN, count, ranges
from kferry.errors import ExitCode
from kferry.groups import GroupFacts, Groups, PositionFacts, take_groups
from kferry.units import many

_COLUMNS = (
    text("group"),
    text("type"),
    text("state"),
    number("members"),
    number("topics"),
    number("parts"),
    number("lag"),
)
_MOST_TROUBLES = 5
_SHARE_FOOTNOTE = (
    "  share groups: up to their start offset all is settled; what is in flight or settled beyond",
    "  it cannot be asked for",
)


def groups(*, options: Options | None = None) -> ExitCode:
    """Groups: type, state, members, and lag to the last stable offset.

    With --topic, the groups that have positions in those topics. With -v every position and member
    has a line.
    """
    options = options or Options()
    selection = options.selection
    return inspect(
        options,
        Inspection(
            name="groups",
            ask=lambda cluster: take_groups(cluster, selection),
            show=partial(_show, everything=bool(options.verbose)),
            as_json=_as_json,
            then="inspect producers",
            takes_topics=True,
        ),
    )


def _show(found: Groups, *, everything: bool) -> list[str]:
    if not found.groups:
        return ["  no groups to show"]
    rows = [
        Row(cells=_cells(group), remarks=_remarks(group, everything=everything))
        for group in found.groups
    ]
    active = sum(bool(group.members) for group in found.groups)
    shares = any(group.type is GroupType.SHARE for group in found.groups)
    total = f"  {many(len(found.groups), 'group')}, {active:,} with members"
    return [*table(_COLUMNS, rows), "", total, *(_SHARE_FOOTNOTE if shares else ())]


def _cells(group: GroupFacts) -> tuple[str, ...]:
    positions = group.positions
    spoken = "" if group.protocol in {"", "consumer", group.type} else f" ({group.protocol})"
    lag = NOTHING if positions == () else count(group.lag)
    return (
        group.id,
        group.type + spoken,
        group.state or UNKNOWN,
        count(None if group.members is None else len(group.members)),
        count(None if positions is None else len({one.topic for one in positions})),
        count(None if positions is None else len(positions)),
        lag,
    )


def _remarks(group: GroupFacts, *, everything: bool) -> list[str]:
    remarks = []
    static = [one.instance_id for one in group.members or () if one.instance_id is not None]
    if static:
        remarks.append(f"static members: {', '.join(static)}")
    if everything:
        remarks += [_member(one.client_id, one.host) for one in group.members or ()]
        remarks += [_position(one) for one in group.positions or ()]
        return remarks
    troubles = _troubles(group.positions or ())
    remarks += troubles[:_MOST_TROUBLES]
    if len(troubles) > _MOST_TROUBLES:
        remarks.append(f"and {len(troubles) - _MOST_TROUBLES:,} more like these (-v shows them)")
    return remarks


def _troubles(positions: tuple[PositionFacts, ...]) -> list[str]:
    """Say each trouble once for the partitions of a topic that share it."""
    odd = [one for one in positions if one.trouble]
    return [
        f"{topic} {ranges(one.partition for one in alike)}: {trouble}"
        for (topic, trouble), alike in groupby(
            sorted(odd, key=lambda one: (one.topic, one.trouble)),
            key=lambda one: (one.topic, one.trouble),
        )
    ]


def _member(client_id: str, host: str) -> str:
    return f"member {client_id} at {host}"


def _position(one: PositionFacts) -> str:
    trouble = f"  ({one.trouble})" if one.trouble else ""
    end = "" if one.log_end is None else f" of {one.log_end:,}"
    return f"{one.topic} {one.partition}: {count(one.offset)}{end}  lag {count(one.lag)}{trouble}"


def _as_json(found: Groups) -> Mapping[str, Any]:
    return {"groups": [{**plain(group), "lag": group.lag} for group in found.groups]}
