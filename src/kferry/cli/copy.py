"""`kferry copy`: one run of a copy, watched until it ends or is stopped.

Owns the order of what is said. What is copied and how is decided in `migration`.
"""

import asyncio
from typing import TYPE_CHECKING

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.copy_flags import CopyFlags, both_sides, copy_request
from kferry.cli.copy_result import next_line, result_json, result_lines
from kferry.cli.copy_view import View, view_for
from kferry.cli.options import Options
from kferry.cli.stopping import StoppedNow, stoppable
from kferry.config import TopicSelection, Unconsumed
from kferry.errors import ExitCode, KferryError
from kferry.progress import Snapshot

if TYPE_CHECKING:
    from kferry.cli.text_log import TextLog
    from kferry.migration.requests import CopyRequest, CopyResult


def run(*, flags: CopyFlags | None = None, options: Options | None = None) -> ExitCode:
    """Copy the records of topics, exactly once and in order, and follow until stopped.

    Missing target topics are created. Killed or stopped, the same command goes on where it was.
    Nothing is written to the source. Ctrl-C once stops at a safe point, twice stops now.
    """
    flags, options = flags or CopyFlags(), options or Options()
    request = copy_request(options, flags, say=say)
    if request.selection == TopicSelection():
        # Imported here: only a command line that is not complete needs it.
        from kferry.cli.largest import no_topics_chosen  # noqa: PLC0415

        raise no_topics_chosen(both_sides(options)[0], options)
    if not options.quiet:
        say(opening(request))
    log = _log() if isinstance(request.start, Unconsumed) else None
    try:
        result = loop.run(_watched(request, options, log))
    except KferryError as error:
        if log is not None:
            log.write([f"{error.title}", *error.detail.splitlines()])
        raise
    except StoppedNow:
        say("stopped now, not at a safe point: what was in flight is settled at the next start")
        say(f"next: kferry copy{options.again(topics=True)}{flags.again()}")
        return ExitCode.STOPPED_EARLY
    _finish(result, request, flags, options, log)
    return result.exit_code


def opening(request: "CopyRequest") -> str:
    """Say what it is about to do and how to stop it."""
    if request.dry_run:
        return "looking at what would be copied; nothing is written"
    goal = (
        "up to where the source ends now"
        if request.until_caught_up
        else "and then follows until it is stopped"
    )
    return f"copies {goal}; Ctrl-C stops at a safe point, twice stops now"


def _log() -> "TextLog":
    # Imported here: it knows groups, which other copies have nothing to do with.
    from kferry.cli.text_log import TextLog  # noqa: PLC0415

    return TextLog()


async def _watched(request: "CopyRequest", options: Options, log: "TextLog | None") -> "CopyResult":
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration import copy  # noqa: PLC0415

    stop = asyncio.Event()
    view = view_for(options, on_deaf=stop.set)
    watch = view if log is None else _Logged(view, log)
    try:
        return await stoppable(
            lambda stop: copy(request, watch=watch, stop=stop),
            say=say if options.quiet else view.narrate,
            stop=stop,
        )
    finally:
        view.close()


class _Logged:
    """A view whose sentences are kept in a log, too."""

    def __init__(self, view: View, log: "TextLog") -> None:
        self._view = view
        self._log = log

    def narrate(self, line: str) -> None:
        self._view.narrate(line)
        self._log.write([line])

    def snapshot(self, snapshot: Snapshot, /) -> None:
        self._view.snapshot(snapshot)


def _finish(
    result: "CopyResult",
    request: "CopyRequest",
    flags: CopyFlags,
    options: Options,
    log: "TextLog | None",
) -> None:
    command = f"kferry copy{options.again(topics=True)}{flags.again(how_only=True)}"
    lines = result_lines(result, dry_run=request.dry_run, again=command)
    if log is not None:
        log.write(lines)
    if options.json:
        answer_json(result_json(result))
    else:
        for line in lines:
            answer(line)
    say(
        next_line(
            result,
            dry_run=request.dry_run,
            again=f"kferry copy{options.again(topics=True)}{flags.again()}",
            status=f"kferry status{options.again()}",
            follows=not request.until_caught_up,
        )
    )
