"""`kferry rollback --bundle FILE` while the target does not answer.

Owns the question and the words. What can be done without the target is decided in `runbook`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from kferry.cli import loop
from kferry.cli.asking import agreed, insist_on_somebody
from kferry.cli.console import answer, answer_json, say
from kferry.cli.cutover_lines import half_way_lines
from kferry.cli.options import Options
from kferry.errors import ExitCode
from kferry.runbook.offline import is_down, roll_back_without_target

if TYPE_CHECKING:
    from kferry.cli.cutover_view import Screen
    from kferry.runbook.finding import CutoverRequest


def needed(request: "CutoverRequest") -> bool:
    """Whether the target does not answer."""
    return loop.run(is_down(request.copy.target))


def run(request: "CutoverRequest", bundle: Path, options: Options, screen: "Screen") -> ExitCode:
    """Do what can be done without the target, and name the rest."""
    say("the target does not answer: applications go back to the source by the bundle")
    insist_on_somebody(options, "rollback takes a cutover back")
    if not agreed(options, "Take it back as far as that can be done?"):
        say("nothing was changed")
        return ExitCode.REFUSED
    try:
        half = loop.run(
            roll_back_without_target(
                bundle,
                source=request.copy.source,
                target=request.copy.target,
                migration=request.copy.migration,
                operator=screen,
            )
        )
    finally:
        screen.close()
    if options.json:
        answer_json(
            {
                "migration": half.bundle.migration,
                "taken_back": half.bundle.taken_back,
                "done": list(half.done),
                "left": [{"step": one.step, "what": one.what} for one in half.left],
            }
        )
    else:
        for line in half_way_lines(half):
            answer(line)
    say(f"next, once the target is back: kferry rollback{options.again()}")
    return ExitCode.STOPPED_EARLY
