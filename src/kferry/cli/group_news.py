"""What of a sync that goes on is worth a line, given what was told before.

Owns the memory of what was told. Pure: rounds in, lines out.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from kferry.cli.group_lines import renewal_lines, total
from kferry.cli.tables import visible
from kferry.groups import Move, Step
from kferry.names import GroupId, PartitionId, TopicName
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.group_follow import Round
    from kferry.migration.group_look import Shown

_MOST_LINES = 5
_PATIENCE_S = 30.0
"""What is not copied within so long is worth a line: the copy may have stopped."""
_AGAIN_S = 300.0
"""How long a trouble that goes on is not said again."""
_Key = tuple[GroupId, TopicName, PartitionId]


class News:
    """Tells what is new since the last round; often nothing."""

    def __init__(self) -> None:
        self._moves: dict[_Key, Move] = {}
        self._waiting: dict[_Key, float] = {}
        self._told_waiting: set[_Key] = set()
        self._told: dict[str, float] = {}
        self._in_trouble = False

    @property
    def moves(self) -> list[Move]:
        """Where every position stood when it was looked at last."""
        return [self._moves[key] for key in sorted(self._moves)]

    def of(self, found: "Round", *, now: float) -> tuple[list[str], list[Move]]:
        """Return what to say about a round, and which positions are otherwise than before."""
        if found.trouble is not None:
            self._in_trouble = True
            return self._once(f"{found.trouble}; trying again", now), []
        lines = ["both clusters answer again"] if self._in_trouble else []
        self._in_trouble = False
        if lines:
            self._told.clear()
        lines += renewal_lines(found.renewed)
        changed: list[Move] = []
        if found.shown is not None:
            first = not self._moves
            changed = self._changed(found.shown, now)
            lines += [*renewal_lines(found.shown.renewed)]
            lines += [total(found.shown.moves, intended="set")] if first else _lines(changed)
            for gap in found.shown.gaps:
                lines += self._once(f"! {gap.subject}: {gap.reason}", now)
        return lines + self._overdue(now), changed

    def _changed(self, shown: "Shown", now: float) -> list[Move]:
        for key in [key for key in self._moves if key[0] in shown.states]:
            if key not in {_key(move) for move in shown.moves}:
                del self._moves[key]
        changed = []
        for move in shown.moves:
            key, before = _key(move), self._moves.get(_key(move))
            self._moves[key] = move
            if move.step is Step.WAITS:
                self._waiting.setdefault(key, now)
            else:
                self._waiting.pop(key, None)
                self._told_waiting.discard(key)
            if move.step is Step.SET or before is None or before.step is not move.step:
                changed.append(move)
        return changed

    def _overdue(self, now: float) -> list[str]:
        late = {
            key: self._moves[key]
            for key, since in self._waiting.items()
            if now - since >= _PATIENCE_S and key not in self._told_waiting and key in self._moves
        }
        self._told_waiting.update(late)
        if not late:
            return []
        one = next(iter(late.values()))
        place = f"{visible(one.standing.group)}, {one.standing.topic}-{one.standing.partition}"
        line = (
            f"! {many(len(late), 'position')} not copied for {_PATIENCE_S:.0f} s, such as {place}"
        )
        return [f"{line} ({one.reason}); kferry status says whether a copy is at work"]

    def _once(self, line: str, now: float) -> list[str]:
        if now - self._told.get(line, -_AGAIN_S) < _AGAIN_S:
            return []
        self._told[line] = now
        return [line]


def _key(move: Move) -> _Key:
    return move.standing.group, move.standing.topic, move.standing.partition


def _lines(changed: Iterable[Move]) -> list[str]:
    """Say it for each group; of many groups only how many."""
    by_group = [
        (group, list(own))
        for group, own in groupby(
            sorted(
                (move for move in changed if move.step not in {Step.WAITS, Step.SAME}), key=_key
            ),
            key=lambda move: move.standing.group,
        )
    ]
    if len(by_group) > _MOST_LINES:
        return [total([move for _, own in by_group for move in own], intended="set")]
    return [line for group, own in by_group for line in _group_lines(group, own)]


def _group_lines(group: GroupId, moves: list[Move]) -> list[str]:
    done = [move for move in moves if move.step is Step.SET]
    lines = []
    if len(done) == 1:
        one = done[0].standing
        lines.append(
            f"{visible(group)}: {one.topic}-{one.partition} at {one.source_offset:,} on the source "
            f"is {one.target_offset:,}"
        )
    elif done:
        lag = sum(move.standing.lag or 0 for move in done)
        lines.append(f"{visible(group)}: {many(len(done), 'position')} set, lag {lag:,}")
    for reason, others in groupby(
        sorted((move for move in moves if move.step is not Step.SET), key=lambda move: move.reason),
        key=lambda move: move.reason,
    ):
        count = len(list(others))
        lines.append(f"{visible(group)}: {many(count, 'position')} not set: {reason}")
    return lines
