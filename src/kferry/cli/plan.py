"""`kferry plan`: what would be done, said before anything is.

Owns the faces of a plan: text, JSON, a file, commands. What is planned is decided in `migration`.
"""

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.options import Options
from kferry.cli.plan_flags import PlanFlags, plan_request
from kferry.cli.plan_lines import plan_lines
from kferry.config import TopicSelection
from kferry.errors import ConfigError, ExitCode
from kferry.plans import Plan, to_json

if TYPE_CHECKING:
    from kferry.migration.planning import PlanRequest


def run(
    *,
    flags: PlanFlags | None = None,
    out: Annotated[
        Path | None, Parameter(help="keep the plan in a file, for `kferry apply FILE`")
    ] = None,
    as_commands: Annotated[
        bool,
        Parameter(negative=(), help="print it as commands of the official tools, for others"),
    ] = False,
    detailed_exitcode: Annotated[
        bool, Parameter(negative=(), help="exit 3 if something would be created or changed")
    ] = False,
    options: Options | None = None,
) -> ExitCode:
    """Compare both clusters and say what `kferry apply` would do. Nothing is written."""
    flags, options = flags or PlanFlags(), options or Options()
    request = plan_request(options, flags)
    plan = loop.run(_made(request))
    if out is not None:
        write_plan(out, plan)
    if as_commands:
        _commands(plan, request, options)
    elif options.json:
        answer_json(to_json(plan))
    else:
        for line in plan_lines(plan, verbose=bool(options.verbose)):
            answer(line)
    say(_next(plan, options, flags, out))
    if detailed_exitcode and plan.has_changes:
        return ExitCode.PLAN_HAS_CHANGES
    return ExitCode.REFUSED if detailed_exitcode and plan.open_decisions else ExitCode.DONE


async def _made(request: "PlanRequest") -> Plan:
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.plan import plan  # noqa: PLC0415

    return await plan(request)


def _commands(plan: Plan, request: "PlanRequest", options: Options) -> None:
    from kferry.cli.as_commands import commands, script  # noqa: PLC0415

    found = commands(plan, request, options)
    if options.json:
        answer_json({"commands": found.now, "when_complete": found.later})
        return
    for line in script(plan, found):
        answer(line)


def write_plan(path: Path, plan: Plan) -> None:
    """Keep a plan; a file that is there is replaced as a whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(to_json(plan), ensure_ascii=False, indent=1) + "\n", "utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(
            f"cannot write {path}: {error.strerror}", hint="name another file with --out"
        ) from None


def _next(plan: Plan, options: Options, flags: PlanFlags, out: Path | None) -> str:
    topics = options.again(topics=True)
    again = topics + flags.again
    waiting = plan.open_decisions
    if waiting and not plan.has_changes:
        return f"next: decide on `{waiting[0].name}`, then `kferry plan{again}` again"
    if plan.has_changes:
        # The file knows the topics and the flags.
        given = again if out is None else f" {shlex.quote(str(out))}{options.again()}"
        rest = "; what needs a decision can wait" if waiting else ""
        return f"next: kferry apply{given}{rest}"
    chosen = "" if options.selection != TopicSelection() else " --topic NAME"
    return f"next: kferry copy{topics}{flags.names_again}{chosen}"
