"""`kferry groups`: where every group stands and goes on, and taking it there.

Owns the question before a change, and the exit codes. What is decided is decided in `migration`.
"""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.asking import agreed, insist_on_somebody
from kferry.cli.console import answer, answer_json, say
from kferry.cli.group_lines import move_json, shown_lines, total, undone_json, undone_lines
from kferry.cli.map_flags import Maps, maps_again
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.tables import visible
from kferry.cli.uncopied_flag import parse_uncopied
from kferry.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from kferry.groups import Move, Step
    from kferry.migration.group_look import Shown
    from kferry.migration.group_undo import TakenBack
    from kferry.migration.groups import GroupsRequest

_Groups = Annotated[
    tuple[str, ...],
    Parameter(
        name="--group", help="a group or a glob; repeatable", negative=(), show_default=False
    ),
]

_Uncopied = Annotated[
    str | None,
    Parameter(
        help="where groups go on in topics that are not copied: start, end, datetime:TIME or a "
        "CSV file",
        show_default=False,
    ),
]


def show(
    *,
    group: _Groups = (),
    uncopied: _Uncopied = None,
    map_: Maps = (),
    options: Options | None = None,
) -> ExitCode:
    """Both sides of every group: position, lag, and where it goes on, on the target.

    Lag is up to the last stable offset. What is not copied yet has no answer yet.
    """
    options = options or Options()
    request = _request(options, group, uncopied, "groups show", map_)
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.groups import show as look  # noqa: PLC0415

    shown = loop.run(look(request))
    if options.json:
        _answer_rows(shown)
    else:
        for line in shown_lines(shown):
            answer(line)
    say(f"next: kferry groups sync{_again(options, group, map_)}")
    return ExitCode.DONE


def sync(
    *,
    group: _Groups = (),
    force: Annotated[
        bool,
        Parameter(help="let groups go back on the target, too", negative=(), show_default=False),
    ] = False,
    follow: Annotated[
        bool,
        Parameter(
            help="go on until Ctrl-C, while applications still run on the source",
            negative=(),
            show_default=False,
        ),
    ] = False,
    every: Annotated[
        str | None,
        Parameter(help="with --follow, how often to look: 5s, 1min", show_default=False),
    ] = None,
    uncopied: _Uncopied = None,
    map_: Maps = (),
    undo: Annotated[
        bool,
        Parameter(
            help="put positions back as they were before the first sync",
            negative=(),
            show_default=False,
        ),
    ] = False,
    options: Options | None = None,
) -> ExitCode:
    """Commit on the target where every group goes on, and read it back.

    An active group is never moved there, and none goes back without --force. What was there before
    is kept in the ledger for --undo. Nothing is written to the source.
    """
    options = options or Options()
    _insist_on_sense(follow=follow, every=every, undo=undo, maps=bool(map_))
    if undo:
        return _undo(options, group, force=force)
    request = _request(options, group, uncopied, "groups sync", map_)
    if follow:
        # Imported here: only who follows has use for it.
        from kferry.cli.group_follow import run as go_on  # noqa: PLC0415

        return go_on(request, options, every=every, force=force, agree=_agree)
    from kferry.migration.groups import sync as take_there  # noqa: PLC0415 as above

    shown = loop.run(
        take_there(
            request,
            agree=lambda name, moves, late: _agree(name, moves, late, options),
            force=force,
        )
    )
    if not shown.agreed:
        say("nothing was changed")
        return ExitCode.REFUSED
    if options.json:
        _answer_rows(shown)
    else:
        for line in shown_lines(shown, intended="set"):
            answer(line)
    code = exit_code([move.step for move in shown.moves])
    if code is ExitCode.DONE and shown.renewed.troubles:
        code = ExitCode.FAILED
    again = _again(options, group, map_)
    if code is ExitCode.DONE:
        say(f"next: kferry groups show{again}")
    elif code is ExitCode.STOPPED_EARLY and map_:
        say(f"next: `kferry groups sync{again}` once what is said above has come to pass")
    elif code is ExitCode.STOPPED_EARLY:
        say(f"next: kferry status{options.again()}, then `kferry groups sync{again}` for the rest")
    else:
        say(f"next: mend what is said above, then `kferry groups sync{again}` again")
    return code


def exit_code(steps: "Iterable[Step]") -> ExitCode:
    """Say how a sync ended: the worst of its positions."""
    from kferry.groups import Step  # noqa: PLC0415 as above

    found = set(steps)
    if Step.FAILED in found:
        return ExitCode.FAILED
    if found & {Step.ACTIVE, Step.REFUSED}:
        return ExitCode.REFUSED
    return ExitCode.STOPPED_EARLY if Step.WAITS in found else ExitCode.DONE


def _undo(options: Options, group: tuple[str, ...], *, force: bool) -> ExitCode:
    target = target_of(options, "groups sync --undo")
    from kferry.migration.group_undo import undo  # noqa: PLC0415 as above

    undone = loop.run(
        undo(
            target,
            migration=options.migration_name,
            source=options.source_settings,
            selection=options.selection,
            groups=group,
            agree=lambda name, steps: _agree_to_undo(name, steps, options),
            force=force,
        )
    )
    if not undone.agreed:
        say("nothing was changed")
        return ExitCode.REFUSED
    if options.json:
        rows = [undone_json(one) for one in undone.positions]
        answer_json({"migration": undone.migration, "rows": rows})
    else:
        for line in undone_lines(undone.positions):
            answer(line)
    say(f"next: kferry groups show{_again(options, group)}")
    code = exit_code([one.step for one in undone.positions])
    stayed = any(str(one.step) == "ahead" for one in undone.positions)
    return ExitCode.REFUSED if code is ExitCode.DONE and stayed else code


def _request(
    options: Options,
    group: tuple[str, ...],
    uncopied: str | None,
    command: str,
    maps: tuple[Path, ...],
) -> "GroupsRequest":
    if maps and uncopied is not None:
        raise UsageError(
            "--map and --uncopied exclude each other",
            hint=f"kferry {command} --map FILE for what is written to both sides, then once more "
            "with --uncopied for the other topics, named with --topic",
        )
    target, source = target_of(options, command), options.source_settings
    if source is None:
        raise UsageError(
            "no source was named, and the groups are there",
            hint=f"kferry {command} --source HOST:PORT --target HOST:PORT, or -c FILE",
        )
    from kferry.migration.groups import GroupsRequest  # noqa: PLC0415 as above

    return GroupsRequest(
        source=source,
        target=target,
        migration=options.migration_name,
        selection=options.selection,
        groups=group,
        uncopied=parse_uncopied(uncopied, options),
        files=maps,
    )


def _insist_on_sense(*, follow: bool, every: str | None, undo: bool, maps: bool) -> None:
    if maps and (follow or undo):
        raise UsageError(
            f"--map does not go with --{'follow' if follow else 'undo'}",
            hint="kferry groups sync --map FILE once the group's consumers have stopped"
            if follow
            else "kferry groups sync --undo alone: it needs no map",
        )
    if follow and undo:
        raise UsageError(
            "--follow and --undo exclude each other",
            hint="stop the one that follows, then kferry groups sync --undo",
        )
    if every is not None and not follow:
        raise UsageError(
            "--every goes with --follow", hint="kferry groups sync --follow --every 5s"
        )


def _agree(migration: str, moves: "Sequence[Move]", late: int, options: Options) -> bool:
    if not options.quiet:
        say(f"{visible(migration)}: {total(moves, intended='to set', late=late)}")
    return _asked(options, "sync commits positions on the target", "kferry groups show")


def _agree_to_undo(migration: str, steps: "Sequence[TakenBack]", options: Options) -> bool:
    if not options.quiet:
        say(visible(migration))
        for line in undone_lines(steps):
            say(line)
    return _asked(options, "sync --undo changes positions on the target", "kferry groups show")


def _asked(options: Options, what: str, look: str) -> bool:
    insist_on_somebody(options, what, look=f"`{look}` shows what would be done")
    return agreed(options, "\nCommit?")


def _answer_rows(shown: "Shown") -> None:
    answer_json(
        {
            "migration": shown.migration,
            "rows": [move_json(move) for move in shown.moves],
            "missing": [
                {"subject": gap.subject, "reason": gap.reason, "hint": gap.hint}
                for gap in shown.gaps
            ],
        }
    )


def _again(options: Options, group: tuple[str, ...], maps: tuple[Path, ...] = ()) -> str:
    named = "".join(f" --group {shlex.quote(one)}" for one in group)
    return f"{options.again(topics=True)}{maps_again(maps)}{named}"
