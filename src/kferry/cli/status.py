"""`kferry status`: how far a migration is, read from its ledger, from any machine.

Owns how a snapshot that others took is shown, and how its age is said. Writes nothing.
"""

import contextlib
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.copy_view import view_for
from kferry.cli.options import Options
from kferry.cli.progress_lines import block, clock, retention_lines
from kferry.cli.standing_lines import standing_line, standing_lines
from kferry.cli.tables import visible
from kferry.cli.words import duration
from kferry.config import ClusterSettings, TopicSelection
from kferry.errors import ExitCode, UsageError
from kferry.progress import Snapshot, to_json

if TYPE_CHECKING:
    from kferry.runbook.standing import Standing

_SILENT_SECONDS = 30
_MOST_NAMED = 5
_WORKING = frozenset({"starting", "settling", "copying", "following", "paused"})


def run(
    *,
    watch: Annotated[
        bool, Parameter(help="go on showing it until Ctrl-C", negative=(), show_default=False)
    ] = False,
    options: Options | None = None,
) -> ExitCode:
    """How far a migration is: topics, rates, lag, what limits it, what stopped.

    It is read from the ledger on the target; whoever copies may be on another machine.
    """
    options = options or Options()
    target = target_of(options, "status")
    if watch:
        with contextlib.suppress(KeyboardInterrupt):
            loop.run(_follow(target, options))
        return ExitCode.DONE
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration import status  # noqa: PLC0415
    from kferry.runbook.standing import standings, standings_json  # noqa: PLC0415

    seen = loop.run(
        status(target, migration=options.migration_name, source=options.source_settings)
    )
    snapshot, cutovers = seen.snapshot, standings(seen.documents)
    if options.json:
        answer_json({**to_json(snapshot), **standings_json(cutovers)})
    else:
        again = copy_command(snapshot, options)
        lines = status_lines(snapshot, now=datetime.now(UTC), again=again)
        for line in [*lines, *standing_lines(cutovers)]:
            answer(line)
    if cutovers.open is not None:
        say(next_of_cutover(cutovers.open, options))
    elif snapshot.state == "done" and cutovers.ended and cutovers.ended[-1].state == "done":
        say(f"next: kferry complete{options.again()}")
    else:
        say(next_line(snapshot, options, now=datetime.now(UTC)))
    return ExitCode.DONE


def next_of_cutover(standing: "Standing", options: Options) -> str:
    """Name the next command while a cutover is under way."""
    again = options.again()
    if standing.walked:
        return f"next: kferry status --watch{again}"
    if standing.record.no_return:
        return f"next: kferry cutover{again}  (goes on with it)"
    return f"next: kferry cutover{again} goes on with it, kferry rollback{again} takes it back"


def target_of(options: Options, command: str) -> ClusterSettings:
    """Return the target's settings, where the ledger is."""
    target = options.target_settings
    if target is None:
        raise UsageError(
            "no target was named, and the ledger is there",
            hint=f"kferry {command} --target HOST:PORT, or a migration file with -c",
        )
    return target


def status_lines(snapshot: Snapshot, *, now: datetime, again: str = "kferry copy …") -> list[str]:
    """Show a snapshot with its age, and what waits for somebody; `again` is how it is copied."""
    lines = block(snapshot)
    retention = retention_lines(snapshot.retention_suspended, again)
    return [*lines, "", *retention, *_origin(snapshot, now)]


def next_line(snapshot: Snapshot, options: Options, *, now: datetime) -> str:
    """Name the next command."""
    again = options.again()
    if snapshot.state in _WORKING and _age(snapshot, now) <= _SILENT_SECONDS:
        if snapshot.state == "paused":
            return f"next: kferry control resume{again}"
        return f"next: kferry status --watch{again}, or kferry control --help"
    if snapshot.state == "done":
        return f"next: kferry status{again} shows this again; nothing is left to copy"
    return f"next: {copy_command(snapshot, options)}  (goes on where it stopped)"


def copy_command(snapshot: Snapshot, options: Options) -> str:
    """Return the command that goes on with what a snapshot shows."""
    command = f"kferry copy{options.again(topics=True)}"
    named = options.file is not None or options.migration is not None
    # The name that follows from the source need not be said.
    if not named and not snapshot.migration.startswith("default-"):
        command += f" -m {shlex.quote(visible(snapshot.migration))}"
    if options.source_settings is None:
        command += " --source HOST:PORT"
    if options.selection != TopicSelection():
        return command
    names = [shlex.quote(visible(topic.source)) for topic in snapshot.topics]
    if not 0 < len(names) <= _MOST_NAMED:
        return f"{command} --topic …"
    return command + "".join(f" --topic {name}" for name in sorted(names))


def _origin(snapshot: Snapshot, now: datetime) -> list[str]:
    age = _age(snapshot, now)
    seen = f"as of {clock(snapshot.taken_at)}, {duration(age)} ago"
    owner = f", copied by {visible(snapshot.owner)}" if snapshot.owner else ""
    if snapshot.state in _WORKING and age > _SILENT_SECONDS:
        return [f"{seen}{owner}: no sign of life since, so nobody may be copying now"]
    return [seen + owner]


def _age(snapshot: Snapshot, now: datetime) -> float:
    return (now - datetime.fromisoformat(snapshot.taken_at)).total_seconds()


async def _follow(target: ClusterSettings, options: Options) -> None:
    from kferry.migration import follow_status  # noqa: PLC0415  as above
    from kferry.runbook.standing import standings, standings_json  # noqa: PLC0415

    view = view_for(options, is_answer=True)
    if not options.quiet:
        view.narrate("showing what the copy writes down; Ctrl-C ends this, not the copy")
    try:
        said = ""
        async for seen in follow_status(
            target, migration=options.migration_name, source=options.source_settings
        ):
            cutovers = standings(seen.documents)
            if options.json:
                answer_json({**to_json(seen.snapshot), **standings_json(cutovers)})
                continue
            line = "" if cutovers.open is None else standing_line(cutovers.open)
            if line and line != said:
                view.narrate(line)
            said = line
            view.snapshot(seen.snapshot)
    finally:
        view.close()
