"""What `groups reset` and `groups import` have in common: doing it, showing it, and the end.

Owns files of positions as they come from the command line, the rows and the exit codes.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, fitted, say
from kferry.cli.options import Options
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import NOTHING
from kferry.errors import ConfigError, ExitCode, UsageError
from kferry.units import many, some

if TYPE_CHECKING:
    from kferry.groups.position_file import FilePosition
    from kferry.groups.reset import Reset, ToFile
    from kferry.migration.group_reset import ResetDone, ResetRequest

_MOST_BYTES = 2**30


def read_bytes(path: Path) -> bytes:
    """Read a file that was named on the command line."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{path} is too large for a file of positions", hint="name another")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}", error.strerror or str(error), hint="name a file of positions"
        ) from None


def positions_for(found: "Sequence[FilePosition]", group: tuple[str, ...], where: str) -> "ToFile":
    """Take from a file what is about these groups; each must be there."""
    from kferry.groups.reset import ToFile  # noqa: PLC0415 the engine waits until it is needed
    from kferry.names import GroupId  # noqa: PLC0415

    if found[0].group is None:
        if len(group) != 1:
            raise UsageError(
                f"{where} names no groups",
                hint="name the one it is about with --group NAME, or put the groups into a column "
                "before the topics",
            )
        only = GroupId(group[0])
        named = (replace(one, group=only) for one in found)
        return ToFile({(only, one.place): one for one in named})
    positions = {
        (one.group, one.place): one
        for one in found
        if one.group is not None and (not group or one.group in group)
    }
    absent = sorted(set(group) - {named for named, _ in positions})
    if absent:
        raise UsageError(
            f"{where} has no position of {some(absent)}",
            hint="leave it out, or add its lines; globs are not understood here",
        )
    return ToFile(positions)


def carry_out(
    request: "ResetRequest",
    options: Options,
    *,
    execute: bool,
    export: bool,
    several: bool,
    command: str,
    look: str,
) -> ExitCode:
    """Do it, or say what would be done; show it and name the next command."""
    from kferry.migration.group_reset import reset_groups  # noqa: PLC0415 as above

    try:
        done = loop.run(reset_groups(request, execute=execute))
    except KeyboardInterrupt:
        if not execute:
            raise
        say(f"stopped; some positions may be set and others not: `{look}` shows them")
        return ExitCode.STOPPED_EARLY
    if options.json:
        answer_json(reset_json(done, request.side))
    elif export:
        _write_csv(done.resets, several=several)
    else:
        for line in reset_lines(done, request.side):
            answer(line)
    code = exit_code(done.resets)
    if export:
        _say_troubles(done.resets)
    if not execute:
        say("nothing was changed")
    say(f"next: {_next(code, command, look, execute=execute)}")
    return code


def _next(code: ExitCode, command: str, look: str, *, execute: bool) -> str:
    again = f"kferry {command}{' --execute' * execute}"
    if code is ExitCode.REFUSED:
        return f"stop the members of the active groups, then `{again}` again"
    if code is not ExitCode.DONE:
        return f"mend what is said above, then `{again}` again"
    return look if execute else f"{again} --execute"


def exit_code(resets: "Iterable[Reset]") -> ExitCode:
    """Say how it ended: the worst of the positions."""
    steps = {str(one.step) for one in resets}
    if "failed" in steps or steps == {"left"}:
        return ExitCode.FAILED
    return ExitCode.REFUSED if "active" in steps else ExitCode.DONE


def reset_lines(done: "ResetDone", side: str) -> list[str]:
    """Show every group with its positions, before and after."""
    lines = []
    columns = (
        text("topic"),
        number("part"),
        number("log start"),
        number("log end"),
        number("was"),
        number("is" if done.executed else "new"),
        text("what"),
    )
    for group, own in groupby(done.resets, key=lambda one: one.group):
        there = done.states[group]
        lines.append(f"{visible(group)} · {there.state or 'a new group'} on the {side}")
        if there.active:
            members = f": {', '.join(there.members)}" if there.members else ""
            lines += fitted(
                visible(f"  it is active and not moved; stop its members first{members}")
            )
        lines += [*table(columns, [_row(one, executed=done.executed) for one in own]), ""]
    if not done.resets:
        lines += ["no position is meant", ""]
    return [*lines, *fitted(_total(done))]


def reset_json(done: "ResetDone", side: str) -> dict[str, Any]:
    """Put it as scripts read it."""
    return {
        "cluster_id": done.cluster_id,
        "side": side,
        "executed": done.executed,
        "rows": [
            {
                "group": one.group,
                "topic": one.place.topic,
                "partition": one.place.partition,
                "before": one.before,
                "offset": one.offset,
                "step": str(one.step),
                "reason": one.reason,
            }
            for one in done.resets
        ],
    }


def _total(done: "ResetDone") -> str:
    words = _words(executed=done.executed)
    steps = Counter(str(one.step) for one in done.resets)
    parts = [f"{steps[step]:,} {word}" for step, word in words.items() if steps[step]]
    groups = len({one.group for one in done.resets})
    told = f"{many(groups, 'group')}, {many(len(done.resets), 'position')}"
    return f"{told}: {', '.join(parts) or 'none'}"


def _words(*, executed: bool) -> dict[str, str]:
    return {
        "set": "set" if executed else "to set",
        "same": "there already",
        "active": "active, not moved",
        "left": "left as it is",
        "failed": "failed",
    }


def _row(one: "Reset", *, executed: bool) -> Row:
    moved = str(one.step) in {"set", "same"}
    return Row(
        cells=(
            one.place.topic,
            str(one.place.partition),
            _offset(one.log.start),
            _offset(one.log.end),
            _offset(one.before),
            _offset(one.offset if moved else None),
            _words(executed=executed)[str(one.step)],
        ),
        remarks=(one.reason,) if one.reason and str(one.step) != "active" else (),
    )


def _offset(offset: int | None) -> str:
    return NOTHING if offset is None else f"{offset:,}"


def _write_csv(resets: "Iterable[Reset]", *, several: bool) -> None:
    from kferry.groups.position_file import to_csv  # noqa: PLC0415 as above

    rows = [
        (one.group if several else None, one.place, one.offset)
        for one in resets
        if one.offset is not None and str(one.step) in {"set", "same"}
    ]
    sys.stdout.write(to_csv(rows))
    sys.stdout.flush()


def _say_troubles(resets: "Iterable[Reset]") -> None:
    """Say what the file cannot: who is not in it, and what is not as it was asked for."""
    named: dict[tuple[str, str], list[str]] = {}
    for one in resets:
        if one.reason:
            named.setdefault((one.group, one.reason), []).append(str(one.place))
    for (group, reason), places in named.items():
        say(f"! {visible(group)}, {some(places)}: {reason}")
