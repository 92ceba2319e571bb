"""`kferry apply`: what a plan says is done on the target, once somebody has agreed.

Owns the question, and how the end is told. What is done is decided in `migration`.
"""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.asking import agreed, insist_on_somebody
from kferry.cli.console import answer, answer_json, say
from kferry.cli.options import Options
from kferry.cli.plan_flags import PlanFlags, flags_from, plan_request, topics_from
from kferry.cli.plan_lines import applied_lines, plan_lines
from kferry.config import TopicSelection
from kferry.errors import ConfigError, ExitCode, UsageError
from kferry.plans import Action, Item, Outcome, Plan, from_json, to_json

if TYPE_CHECKING:
    from kferry.migration.planning import Applied, PlanRequest

_LARGEST_FILE = 256 << 20


def run(
    file: Annotated[
        Path | None, Parameter(help="a plan kept with `kferry plan --out`: just this is done")
    ] = None,
    /,
    *,
    flags: PlanFlags | None = None,
    options: Options | None = None,
) -> ExitCode:
    """Create and change on the target what `kferry plan` shows; nothing is ever taken away."""
    flags, options = flags or PlanFlags(), options or Options()
    reviewed = None
    if file is not None:
        reviewed = read_plan(file)
        options, flags = _as_asked(file, reviewed, options, flags)
    request = plan_request(options, flags)
    if reviewed is not None and request.migration is None:
        request = replace(request, migration=reviewed.migration)
        # What comes next is about the same migration, whatever it would be called by itself.
        options = replace(options, migration=reviewed.migration)
    applied = loop.run(_applied(request, options, reviewed))
    _finish(applied, options, flags)
    return applied.exit_code if applied.agreed else ExitCode.REFUSED


def read_plan(path: Path) -> Plan:
    """Read a plan that was kept."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", hint="kferry plan --out FILE makes one"
        ) from None
    try:
        if len(content) > _LARGEST_FILE:
            raise ValueError("it is too large")  # noqa: TRY301 one way out
        return from_json(json.loads(content.decode("utf-8")))
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{path} is no plan", str(error), hint="kferry plan --out FILE makes one"
        ) from None


def _as_asked(
    path: Path, plan: Plan, options: Options, flags: PlanFlags
) -> tuple[Options, PlanFlags]:
    """Ask again for just what the plan was made for."""
    if options.topic or flags != PlanFlags():
        raise UsageError(
            f"{path} says already what is to be done",
            "Topics and flags of the plan are in the file.",
            hint=f"kferry apply {shlex.quote(str(path))}{options.again()}, or leave the file out",
        )
    try:
        topics, flags = topics_from(plan.asked), flags_from(plan.asked)
    except ValueError as error:
        raise ConfigError(
            f"{path} is no plan", str(error), hint="kferry plan --out FILE makes one"
        ) from None
    return replace(options, topic=topics), flags


async def _applied(request: "PlanRequest", options: Options, reviewed: Plan | None) -> "Applied":
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.apply import apply  # noqa: PLC0415

    return await apply(
        request,
        agree=lambda plan: _agree(plan, options),
        narrate=(lambda _: None) if options.quiet else say,
        reviewed=reviewed,
    )


def _agree(plan: Plan, options: Options) -> bool:
    """Show what will be done, and ask for it."""
    insist_on_somebody(
        options, "apply writes to the target", look="`kferry plan` shows what would be done"
    )
    if not options.quiet:
        for line in plan_lines(plan, verbose=bool(options.verbose)):
            say(line)
    return agreed(options, "\nApply this?")


def _finish(applied: "Applied", options: Options, flags: PlanFlags) -> None:
    if not applied.agreed:
        say("nothing was changed")
        return
    if options.json:
        answer_json(applied_json(applied))
    else:
        lines = applied_lines(applied) if applied.outcomes else plan_lines(applied.plan)
        for line in lines:
            answer(line)
    topics = options.again(topics=True)
    again = topics + flags.again
    if applied.failed:
        say(f"next: mend what is said above, then `kferry apply{again}` again")
    elif waiting := applied.plan.open_decisions:
        say(f"next: decide on `{waiting[0].name}`, then `kferry plan{again}` again")
    else:
        # A file that chooses topics needs no more of them.
        chosen = "" if options.selection != TopicSelection() else " --topic NAME"
        say(f"next: kferry copy{topics}{flags.names_again}{chosen}")


def applied_json(applied: "Applied") -> dict[str, Any]:
    """Put the end as scripts read it."""
    done = [one.item for one in applied.outcomes if one.done]
    plan = to_json(applied.plan)
    return {
        "migration": applied.plan.migration,
        "created": [_told(item) for item in done if item.action is Action.CREATE],
        "changed": [_told(item) for item in done if item.action is Action.CHANGE],
        "failed": [_failed(one) for one in applied.failed],
        **{
            str(action): plan[action]
            for action in (Action.SAME, Action.CONFLICT, Action.LEFT_BEHIND)
        },
        "notes": plan["notes"],
    }


def _told(item: Item) -> dict[str, str]:
    return {"kind": item.kind, "name": item.name, "reason": item.reason}


def _failed(outcome: Outcome) -> dict[str, str]:
    error = outcome.error
    told = _told(outcome.item)
    if error is None:
        return {**told, "reason": f"it needs {outcome.skipped}", "code": "", "hint": ""}
    return {**told, "reason": str(error), "code": error.code, "hint": error.hint}
