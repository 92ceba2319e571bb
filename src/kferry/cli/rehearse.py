"""`kferry cutover --rehearse`: every step tried, without touching applications.

Owns the question beforehand, what is seen while it runs, and the exit codes.
"""

import asyncio
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kferry.cli import loop
from kferry.cli.asking import agreed, insist_on_somebody
from kferry.cli.console import answer, answer_json, fitted, say, styled
from kferry.cli.cutover_lines import head_lines
from kferry.cli.fence_flags import fence_again
from kferry.cli.options import Options
from kferry.cli.rehearse_lines import (
    asked_lines,
    ended_lines,
    rehearsal_json,
    tried_json,
    tried_lines,
)
from kferry.cli.stopping import StoppedNow, stoppable
from kferry.errors import ExitCode

if TYPE_CHECKING:
    from kferry.runbook import Step
    from kferry.runbook.dry import Planned
    from kferry.runbook.finding import CutoverRequest
    from kferry.runbook.hooks import Hooks
    from kferry.runbook.rehearsed import Rehearsed, StepTried


@dataclass(slots=True, kw_only=True)
class _Screen:
    json: bool
    quiet: bool

    def narrate(self, line: str) -> None:
        """Say a sentence."""
        if not self.quiet:
            for part in fitted(line):
                say(part)

    def entering(self, step: "Step", number: int, of: int) -> None:
        """Head a step."""
        if self.json:
            answer_json({"event": "step", "step": step.name, "number": number, "of": of})
        say()
        head = styled(f"{number}/{of} {step.name}", "bold", sys.stderr)
        for part in fitted(f"{head}: {step.says}"):
            say(part)

    def tried(self, step: "StepTried") -> None:
        """Show what became of it."""
        if self.json:
            answer_json({"event": "tried", **tried_json(step)})
        for line in tried_lines(step):
            say(line)


def run(
    request: "CutoverRequest",
    options: Options,
    *,
    hooks: "Hooks",
    producers_stopped: bool,
    otherwise: Callable[[Options], ExitCode],
) -> ExitCode:
    """Rehearse; without a scheme they are listed (`otherwise`)."""
    from kferry.runbook import Stopped  # noqa: PLC0415 as in cutover
    from kferry.runbook.finding import NoScheme  # noqa: PLC0415
    from kferry.runbook.rehearsal import NothingCopied, plan_rehearsal, rehearse  # noqa: PLC0415

    try:
        planned = loop.run(plan_rehearsal(request))
    except NoScheme:
        return otherwise(options)
    except NothingCopied as error:
        error.hint = f"kferry copy{options.again(topics=True)}; rehearse while it runs"
        raise
    if not _agreed(planned, hooks, options):
        say("nothing was changed")
        return ExitCode.REFUSED
    screen = _Screen(json=options.json, quiet=options.quiet)
    stop = asyncio.Event()
    again = _again(planned, request, options)
    try:
        found = loop.run(
            stoppable(
                lambda stop: rehearse(
                    request,
                    hooks=hooks,
                    producers_stopped=producers_stopped,
                    watch=screen,
                    stop=stop,
                ),
                say=screen.narrate,
                stop=stop,
            )
        )
    except (Stopped, StoppedNow):
        say("stopped; the shadow groups are gone, nothing else was changed")
        say(f"next: kferry cutover --rehearse{again}")
        return ExitCode.STOPPED_EARLY
    say()
    if options.json:
        answer_json({"rehearsal": rehearsal_json(found)})
    else:
        for line in ended_lines(found):
            answer(line)
    say(f"next: {_next(found, options, again)}")
    return found.exit_code


def _next(found: "Rehearsed", options: Options, again: str) -> str:
    if found.differs:
        return f"kferry verify --level records{options.again(topics=True)}"
    return f"kferry cutover{' --rehearse' if found.findings else ''}{again}"


def _agreed(planned: "Planned", hooks: "Hooks", options: Options) -> bool:
    insist_on_somebody(
        options,
        "a rehearsal calls hooks, and makes groups on the target",
        look="--dry-run only looks",
    )
    if not options.quiet:
        for line in [*head_lines(planned), *asked_lines(planned, hooks)]:
            say(line)
    return agreed(options, "\nRehearse this?")


def _again(planned: "Planned", request: "CutoverRequest", options: Options) -> str:
    """Return what must follow so that the next command means the same."""
    words = f" --scheme {planned.scheme.name}{options.again(topics=True)}"
    words += "".join(f" --group {shlex.quote(one)}" for one in request.groups)
    if not request.way_back:
        words += " --no-way-back"
    if request.uncommitted is not None:
        words += f" --uncommitted {request.uncommitted}"
    return f"{words}{fence_again(planned.record.facts)}"
