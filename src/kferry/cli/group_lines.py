"""How groups and where they go on are shown.

Owns the words and the rows of `groups`. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kferry.cli.console import fitted
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import NOTHING, count
from kferry.groups import Move, Step
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.group_look import Shown
    from kferry.migration.group_renewal import Renewed
    from kferry.migration.group_undo import TakenBack

_COLUMNS = (
    text("topic"),
    number("part"),
    number("source"),
    number("lag"),
    number("target"),
    number("there now"),
    text("what"),
)
_WORDS = {
    Step.SET: "set",
    Step.SAME: "there already",
    Step.AHEAD: "further already",
    Step.ACTIVE: "active",
    Step.WAITS: "not yet",
    Step.LEFT: "cannot move",
    Step.REFUSED: "refused",
    Step.FAILED: "failed",
}
_ORDER = tuple(_WORDS)
_MOST_ROWS = 200


def shown_lines(shown: "Shown", *, intended: str = "to set") -> list[str]:
    """Show every group with its positions; `intended` is the word for what is, or was, set."""
    lines = []
    listed = shown.moves
    if len(listed) > _MOST_ROWS:
        # Of very many, those that need a word; the rest goes on where it stood.
        listed = tuple(move for move in listed if not _is_plain(move))[:_MOST_ROWS]
    for group, own in groupby(listed, key=lambda move: move.standing.group):
        here, there = shown.states[group]
        lines.append(
            f"{visible(group)} · {_state(here.state, len(here.members or ()))} on the source · "
            f"{_state(there.state, len(there.members))} on the target"
        )
        lines += [*table(_COLUMNS, [_row(move, intended) for move in own]), ""]
    if len(listed) < len(shown.moves):
        rest = many(len(shown.moves) - len(listed), "more position")
        lines += [f"{rest}; --json lists every one", ""]
    if not shown.moves:
        lines += ["no group has a position here", ""]
    lines += [f"! {gap.subject}: {gap.reason}" for gap in shown.gaps]
    lines += [*renewal_lines(shown.renewed)]
    return [*lines, *fitted(total(shown.moves, intended=intended))]


def renewal_lines(renewed: "Renewed") -> list[str]:
    """Say what was committed once more so that the target keeps it."""
    lines = [f"! not renewed: {trouble}" for trouble in renewed.troubles]
    if renewed.images:
        what = many(len(renewed.images), "position")
        lines.append(f"{what} committed once more, so that the target does not forget them")
    return lines


def total(moves: Sequence[Move], *, intended: str, late: int = 0) -> str:
    """Add up in one line."""
    steps = Counter(move.step for move in moves)
    groups = len({move.standing.group for move in moves})
    known = [move.standing for move in moves if move.standing.target_offset is not None]
    parts = [
        f"{steps[step]:,} {intended if step is Step.SET else _WORDS[step]}"
        for step in _ORDER
        if steps[step]
    ]
    if late:
        parts.append(f"{late:,} to renew")
    again, skipped = sum(one.again for one in known), sum(one.skipped for one in known)
    return (
        f"{many(groups, 'group')}, {many(len(moves), 'position')}: {', '.join(parts) or 'none'}; "
        f"{again:,} records read again, {skipped:,} skipped"
    )


def move_json(move: Move) -> dict[str, Any]:
    """Put one position as scripts read it."""
    standing = move.standing
    return {
        "group": standing.group,
        "topic": standing.topic,
        "partition": standing.partition,
        "source_offset": standing.source_offset,
        "target_offset": standing.target_offset,
        "exact": standing.exact,
        "lag": standing.lag,
        "reason": move.reason,
        "target_topic": standing.target_topic,
        "committed": move.committed,
        "step": str(move.step),
        "again": standing.again,
        "skipped": standing.skipped,
    }


def undone_lines(positions: "Iterable[TakenBack]") -> list[str]:
    """Show what is taken back, a line for each position."""
    columns = (
        text("group"),
        text("topic"),
        number("part"),
        number("there now"),
        number("back to"),
        text("what"),
    )
    rows = [
        Row(
            cells=(
                one.image.group,
                one.image.place.topic,
                str(one.image.place.partition),
                _offset(one.committed),
                _offset(one.image.before),
                one.reason,
            )
        )
        for one in positions
    ]
    return table(columns, rows) if rows else ["kferry has set no positions here"]


def undone_json(one: "TakenBack") -> dict[str, Any]:
    """Put one position that was taken back as scripts read it."""
    return {
        "group": one.image.group,
        "topic": one.image.place.topic,
        "partition": one.image.place.partition,
        "committed": one.committed,
        "target_offset": one.image.before,
        "step": str(one.step),
        "reason": one.reason,
    }


def _row(move: Move, intended: str) -> Row:
    standing = move.standing
    word = intended if move.step is Step.SET else _WORDS[move.step]
    plain = _is_plain(move)
    return Row(
        cells=(
            standing.topic,
            str(standing.partition),
            _offset(standing.source_offset),
            count(standing.lag),
            _offset(standing.target_offset),
            _offset(move.committed),
            word + (", exact" if plain else ""),
        ),
        remarks=() if plain and standing.reason == move.reason else (move.reason,),
    )


def _is_plain(move: Move) -> bool:
    standing = move.standing
    return move.step in {Step.SET, Step.SAME} and not standing.skipped and standing.exact


def _offset(offset: int | None) -> str:
    return NOTHING if offset is None else f"{offset:,}"


def _state(state: str, members: int) -> str:
    return (state or "not there") + (f", {many(members, 'member')}" if members else "")
