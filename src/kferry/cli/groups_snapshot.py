"""`kferry groups export` and `kferry groups import`: all positions as a file, and back.

Owns the file and what of it is meant. An import is a reset whose answers stand in the file.
"""

import shlex
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry import __version__
from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.one_side import On, again_on, one_side
from kferry.cli.options import Options
from kferry.cli.resetting import carry_out, positions_for, read_bytes
from kferry.cli.tables import visible
from kferry.config import TopicSelection
from kferry.errors import ConfigError, ExitCode, UsageError
from kferry.units import many

if TYPE_CHECKING:
    from kferry.groups.position_file import FilePosition
    from kferry.groups.snapshot_file import PositionSnapshot
    from kferry.migration.group_snapshot import Taken

_MOST_SHOWN = 10
_Groups = Annotated[
    tuple[str, ...],
    Parameter(
        name="--group", help="a group or a glob; repeatable", negative=(), show_default=False
    ),
]
Flag = Parameter(negative=(), show_default=False)


def export(
    file: Annotated[Path, Parameter(help="the file to write")],
    /,
    *,
    group: _Groups = (),
    csv: Annotated[
        bool, Flag, Parameter(help="group,topic,partition,offset, without the rest")
    ] = False,
    overwrite: Annotated[bool, Flag, Parameter(help="in place of a file that is there")] = False,
    on: On = None,
    options: Options | None = None,
) -> ExitCode:
    """Write where every group stands, with what it wrote beside, to a file."""
    options = options or Options()
    side, settings = one_side(options, on, "groups export FILE")
    if file.exists() and not overwrite:
        raise _is_there(file)
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.group_look import named  # noqa: PLC0415
    from kferry.migration.group_snapshot import take_snapshot  # noqa: PLC0415

    taken = loop.run(take_snapshot(settings, options.selection, named(group)))
    if not taken.snapshot.positions:
        raise UsageError(
            f"no group that is meant has a position on the {side}",
            hint="kferry inspect groups shows what there is",
        )
    _write(file, _text(taken.snapshot, csv=csv), overwrite=overwrite)
    _answer_export(file, taken, options)
    where = again_on(options, side, on)
    say(f"next: kferry groups import {shlex.quote(str(file))}{where}")
    return ExitCode.DONE if taken.complete else ExitCode.FAILED


def import_(
    file: Annotated[Path, Parameter(help="a file of `groups export`, or a CSV file")],
    /,
    *,
    group: _Groups = (),
    execute: Annotated[bool, Flag, Parameter(help="do it; without, it is only shown")] = False,
    dry_run: Annotated[bool, Flag, Parameter(help="only show it, as without --execute")] = False,
    other_cluster: Annotated[
        bool,
        Flag,
        Parameter(help="though the file is about another cluster, or topics were made anew"),
    ] = False,
    on: On = None,
    options: Options | None = None,
) -> ExitCode:
    """Set positions as a file has them, on one cluster. Shows it; --execute does it."""
    options = options or Options()
    side, settings = one_side(options, on, "groups import FILE")
    if execute and dry_run:
        raise UsageError("--execute and --dry-run exclude each other", hint="leave one out")
    snapshot = _read(file, group)
    chosen = _chosen(snapshot.positions, group, options, str(file))
    from kferry.groups.reset import ToFile  # noqa: PLC0415 as above
    from kferry.migration.group_reset import ResetRequest  # noqa: PLC0415 as above

    way = ToFile({(one.group, one.place): one for one in chosen if one.group is not None})
    request = ResetRequest(
        settings=settings,
        side=side,
        way=way,
        groups=tuple(sorted({one for one, _ in way.positions})),
        exact_groups=True,
        every_place=False,
        cluster_id=None if other_cluster else snapshot.cluster_id,
        topic_ids={} if other_cluster else snapshot.topic_ids,
    )
    words = "".join(f" --group {shlex.quote(one)}" for one in group)
    words += "".join(f" --topic {shlex.quote(one)}" for one in options.topic)
    words += " --other-cluster" * other_cluster
    return carry_out(
        request,
        options,
        execute=execute,
        export=False,
        several=True,
        command=f"groups import {shlex.quote(str(file))}{words}{again_on(options, side, on)}",
        look=f"kferry inspect groups{again_on(options, side, None)}",
    )


def _text(snapshot: "PositionSnapshot", *, csv: bool) -> str:
    from kferry.groups.position_file import to_csv  # noqa: PLC0415 as above
    from kferry.groups.snapshot_file import to_json  # noqa: PLC0415 as above

    if csv:
        return to_csv((one.group, one.place, one.offset) for one in snapshot.positions)
    return to_json(snapshot, version=__version__)


def _write(file: Path, text: str, *, overwrite: bool) -> None:
    try:
        with file.open("w" if overwrite else "x", encoding="utf-8", newline="") as out:
            out.write(text)
    except FileExistsError:
        raise _is_there(file) from None
    except OSError as error:
        raise ConfigError(
            f"cannot write {file}", error.strerror or str(error), hint="name another file"
        ) from None


def _is_there(file: Path) -> UsageError:
    return UsageError(f"{file} is there already", hint="name another file, or add --overwrite")


def _answer_export(file: Path, taken: "Taken", options: Options) -> None:
    snapshot = taken.snapshot
    groups = len({one.group for one in snapshot.positions})
    if options.json:
        answer_json(
            {
                "file": str(file),
                "cluster_id": snapshot.cluster_id,
                "groups": groups,
                "positions": len(snapshot.positions),
                "missing": list(snapshot.missing),
            }
        )
    else:
        told = f"{many(groups, 'group')}, {many(len(snapshot.positions), 'position')}"
        answer(f"{told} of cluster {snapshot.cluster_id or 'without an id'} are in {file}")
    for line in snapshot.missing[:_MOST_SHOWN]:
        say(f"! not in it: {visible(line)}")
    if len(snapshot.missing) > _MOST_SHOWN:
        say(f"! and {len(snapshot.missing) - _MOST_SHOWN:,} more")


def _read(file: Path, group: tuple[str, ...]) -> "PositionSnapshot":
    from kferry.groups import position_file, snapshot_file  # noqa: PLC0415 as above

    text = position_file.decoded(read_bytes(file), str(file))
    if snapshot_file.is_snapshot(text):
        snapshot = snapshot_file.read_json(text, str(file))
        for line in snapshot.missing[:_MOST_SHOWN]:
            say(f"! not in the file: {visible(line)}")
        return snapshot
    positions = position_file.read_csv(text, str(file))
    if positions[0].group is None:
        positions = [*positions_for(positions, group, str(file)).positions.values()]
    say("a CSV file does not say of which cluster it is: nothing is compared")
    return snapshot_file.PositionSnapshot(
        cluster_id=None, taken_at="", release="", positions=tuple(positions)
    )


def _chosen(
    positions: "tuple[FilePosition, ...]", group: tuple[str, ...], options: Options, where: str
) -> "list[FilePosition]":
    selection = TopicSelection.parse(options.topic)
    chosen = [
        one
        for one in positions
        if not group or any(_is_meant(one.group or "", pattern) for pattern in group)
        if not options.topic or selection.matches(one.place.topic, internal=False)
    ]
    for name in group:
        if not any(_is_meant(one.group or "", name) for one in positions):
            raise UsageError(f"{where} has no position of {name}", hint="look into the file")
    if not chosen:
        raise UsageError(f"{where} has no position of what was named", hint="look into the file")
    return chosen


def _is_meant(group: str, pattern: str) -> bool:
    return group == pattern or fnmatchcase(group, pattern)
