"""`kferry cutover` and `kferry rollback`: walking a scheme step by step, and back.

Owns the command line, the question beforehand and the answer at the end.
"""

import asyncio
import difflib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.asking import agreed, insist_on_somebody
from kferry.cli.console import answer, answer_json, say
from kferry.cli.copy_flags import CopyFlags, copy_request
from kferry.cli.cutover_flags import (
    Bundle,
    Groups,
    HooksDir,
    Patience,
    ProducersStopped,
    Rehearse,
    Scheme,
    Silence,
    Uncommitted,
    Verify,
)
from kferry.cli.cutover_lines import ended_lines, head_lines, plan_lines, scheme_lines
from kferry.cli.fence_flags import FenceAnyway, FenceFlag, FencePrincipals, fence_again, fence_wish
from kferry.cli.map_flags import Maps, maps_again
from kferry.cli.options import Options
from kferry.cli.stopping import StoppedNow, stoppable
from kferry.config import TopicSelection, parse_duration
from kferry.errors import ExitCode, UsageError
from kferry.runbook.record import reading_json

if TYPE_CHECKING:
    from kferry.cli.cutover_view import Screen
    from kferry.migration.switching.fence_book import FenceWish
    from kferry.runbook import Record
    from kferry.runbook.dry import Planned
    from kferry.runbook.finding import CutoverRequest
    from kferry.runbook.hooks import Hooks


def run(
    *,
    scheme: Scheme = None,
    group: Groups = (),
    verify: Verify = "digest",
    silence: Silence = "10s",
    patience: Patience = "15min",
    hooks: HooksDir = None,
    producers_stopped: ProducersStopped = False,
    bundle: Bundle = None,
    map_: Maps = (),
    no_way_back: Annotated[
        bool,
        Parameter(
            help="go without the way back: nothing is written to the source",
            negative=(),
            show_default=False,
        ),
    ] = False,
    accept_late: Annotated[
        bool,
        Parameter(
            help="records that came to the source behind the switch stay there, listed",
            negative=(),
            show_default=False,
        ),
    ] = False,
    uncommitted: Uncommitted = None,
    fence: FenceFlag = False,
    fence_principal: FencePrincipals = (),
    fence_anyway: FenceAnyway = False,
    dry_run: Annotated[
        bool,
        Parameter(help="say what would be done; change nothing", negative=(), show_default=False),
    ] = False,
    rehearse: Rehearse = False,
    options: Options | None = None,
) -> ExitCode:
    """Switch over, step by step, each entered by a measured condition.

    Applications are stopped and started by executables in hooks/, or by you when you are told.
    Killed or stopped, the same command goes on; `kferry rollback` takes it back.
    """
    options = options or Options()
    if scheme is None and options.target_settings is None:
        return _list_schemes(options)
    request = _request(
        options,
        scheme=scheme,
        group=group,
        verify=verify,
        silence=silence,
        patience=patience,
        bundle=bundle,
        way_back=not no_way_back,
        accept_late=accept_late,
        uncommitted=uncommitted,
        maps=map_,
        fence=fence_wish(fence, fence_principal, fence_anyway),
    )
    if rehearse:
        if dry_run:
            raise UsageError(
                "--dry-run and --rehearse exclude each other",
                hint="--dry-run only looks; --rehearse tries, and calls hooks",
            )
        # Imported here: `--help` and errors of the command line must not wait for the engine.
        from kferry.cli import rehearse as rehearsal  # noqa: PLC0415

        return rehearsal.run(
            request,
            options,
            hooks=hooks_of(request, options, hooks),
            producers_stopped=producers_stopped,
            otherwise=_list_schemes,
        )
    from kferry.runbook.cutover import cutover  # noqa: PLC0415 as above
    from kferry.runbook.dry import dry_run as look  # noqa: PLC0415
    from kferry.runbook.finding import NoScheme  # noqa: PLC0415

    try:
        planned = loop.run(look(request))
    except NoScheme:
        return _list_schemes(options)
    if dry_run:
        return _answer_dry(planned, options, map_)
    if not _agreed(planned, options):
        say("nothing was changed")
        return ExitCode.REFUSED
    return _walk(
        lambda screen, stop: cutover(request, operator=screen, stop=stop),
        request,
        options,
        hooks=hooks,
        producers_stopped=producers_stopped,
    )


def roll_back(
    *,
    verify: Verify = "digest",
    silence: Silence = "10s",
    patience: Patience = "15min",
    hooks: HooksDir = None,
    producers_stopped: ProducersStopped = False,
    bundle: Bundle = None,
    map_: Maps = (),
    accept_late: Annotated[
        bool,
        Parameter(
            help="on the way back: records that came to the target behind it stay there, listed",
            negative=(),
            show_default=False,
        ),
    ] = False,
    give_up: Annotated[
        bool,
        Parameter(
            help="take a way back that is being walked back itself: everybody stays on the target",
            negative=(),
            show_default=False,
        ),
    ] = False,
    uncommitted: Uncommitted = None,
    options: Options | None = None,
) -> ExitCode:
    """Take a cutover back.

    Before the point of no return: the last step first; positions on the target become what they
    were, and applications go back to the source; with --bundle FILE, which cutover wrote, they do
    so also while the target does not answer. Behind it, with mirror and consumer-first: what
    was written on the target is copied back, and everybody goes with it, gate by gate.
    """
    options = options or Options()
    request = _request(
        options,
        scheme=None,
        group=(),
        verify=verify,
        silence=silence,
        patience=patience,
        bundle=bundle,
        accept_late=accept_late,
        give_up=give_up,
        uncommitted=uncommitted,
        maps=map_,
    )
    if bundle is not None and bundle.is_file():
        from kferry.cli import rollback_offline  # noqa: PLC0415 as above

        if rollback_offline.needed(request):
            screen = _screen(request, options, asyncio.Event(), hooks=hooks)
            return rollback_offline.run(request, bundle, options, screen)
    insist_on_somebody(options, "rollback takes a cutover back")
    if not agreed(options, "Take the cutover back?"):
        say("nothing was changed")
        return ExitCode.REFUSED
    from kferry.runbook.cutover import rollback  # noqa: PLC0415 as above

    return _walk(
        lambda screen, stop: rollback(request, operator=screen, stop=stop),
        request,
        options,
        hooks=hooks,
        producers_stopped=producers_stopped,
    )


def _request(
    options: Options,
    *,
    scheme: str | None,
    group: tuple[str, ...],
    verify: Literal["digest", "records", "counts", "none"],
    silence: str,
    patience: str,
    bundle: Path | None,
    way_back: bool = True,
    accept_late: bool = False,
    give_up: bool = False,
    uncommitted: Literal["start", "end", "leave"] | None = None,
    maps: tuple[Path, ...] = (),
    fence: "FenceWish | None" = None,
) -> "CutoverRequest":
    from kferry.migration.switching.uncommitted import Choice  # noqa: PLC0415
    from kferry.runbook import SCHEMES  # noqa: PLC0415 as above
    from kferry.runbook.finding import CutoverRequest  # noqa: PLC0415

    if scheme is not None and scheme not in SCHEMES:
        near = difflib.get_close_matches(scheme, SCHEMES, 1)
        raise UsageError(
            f"there is no scheme `{scheme}`" + (f"; `{near[0]}` is near" if near else ""),
            hint=f"one of {', '.join(SCHEMES)}; kferry cutover lists them",
        )
    copy = copy_request(options, CopyFlags(), say=say)
    return CutoverRequest(
        copy=copy,
        scheme=scheme,
        groups=group,
        named=frozenset(TopicSelection.parse(options.topic).exact),
        verify=None if verify == "none" else verify,
        silence_s=parse_duration(silence, where="--silence"),
        patience_s=parse_duration(patience, where="--patience"),
        bundle=bundle,
        way_back=way_back,
        accept_late=accept_late,
        give_up=give_up,
        uncommitted=None if uncommitted is None else Choice(uncommitted),
        maps=maps,
        fence=fence,
    )


def _list_schemes(options: Options) -> ExitCode:
    from kferry.runbook import SCHEMES  # noqa: PLC0415 as above

    if options.json:
        for scheme in SCHEMES.values():
            answer_json(
                {
                    "scheme": scheme.name,
                    "short": scheme.short,
                    "promise": scheme.promise,
                    "steps": [step.name for step in scheme.steps],
                }
            )
    else:
        for line in scheme_lines(SCHEMES.values()):
            answer(line)
    say(f"next: kferry cutover --scheme NAME --dry-run{options.again(topics=True)}")
    return ExitCode.USAGE


def _answer_dry(planned: "Planned", options: Options, maps: tuple[Path, ...]) -> ExitCode:
    if options.json:
        answer_json(
            {
                "migration": planned.migration,
                "scheme": planned.scheme.name,
                "topics": {str(key): str(to) for key, to in planned.scope.topics.items()},
                "passed": [one.step for one in planned.record.passed],
                "steps": [
                    {
                        "step": step.name,
                        "says": step.says,
                        "hook": step.handover.hook.value if step.handover else None,
                        "no_return": step.no_return,
                    }
                    for step in planned.scheme.steps
                ],
                "gates": [reading_json(one) for one in planned.readings],
            }
        )
    else:
        for line in plan_lines(planned):
            answer(line)
    again = f"{_flags_again(planned)}{options.again(topics=True)}{maps_again(maps)}"
    shut = any(one.final and not one.passed for one in planned.readings)
    first = "open what is shut (--), then " if shut else ""
    say(f"next: {first}kferry cutover --scheme {planned.scheme.name}{again}")
    return ExitCode.DONE


def _flags_again(planned: "Planned") -> str:
    """Return the flags that ask for the same cutover once more."""
    facts = planned.record.facts
    without = planned.scheme.returns and "way_back" not in facts
    said = f" --uncommitted {facts['uncommitted']}" if "uncommitted" in facts else ""
    return f"{' --no-way-back' if without else ''}{said}{fence_again(facts)}"


def _agreed(planned: "Planned", options: Options) -> bool:
    insist_on_somebody(options, "cutover switches applications over", look="--dry-run only looks")
    if not options.quiet:
        # Who is not asked sees each step when it is walked.
        for line in head_lines(planned) if options.yes else plan_lines(planned):
            say(line)
    return agreed(options, "\nWalk these steps?")


def _walk(
    work: "Callable[[Screen, asyncio.Event], Coroutine[object, object, Record]]",
    request: "CutoverRequest",
    options: Options,
    *,
    hooks: Path | None,
    producers_stopped: bool,
) -> ExitCode:
    from kferry.runbook import Stopped  # noqa: PLC0415

    stop = asyncio.Event()
    screen = _screen(request, options, stop, hooks=hooks, producers_stopped=producers_stopped)
    again = f"{options.again()}{maps_again(request.maps)}"
    try:
        record = loop.run(stoppable(lambda stop: work(screen, stop), say=screen.narrate, stop=stop))
    except (Stopped, StoppedNow):
        say("stopped; what stands still now stands still until one of these is run")
        say(f"next: kferry cutover{again}, or kferry rollback{again}")
        return ExitCode.STOPPED_EARLY
    finally:
        screen.close()
    if options.json:
        answer_json({"cutover": record.document()})
    else:
        for line in ended_lines(record):
            answer(line)
    say(f"next: {_next(record, request.maps)}{options.again()}")
    return ExitCode.DONE


def _next(record: "Record", maps: tuple[Path, ...]) -> str:
    from kferry.runbook import SCHEMES  # noqa: PLC0415 as above

    scheme = SCHEMES.get(record.scheme)
    if record.state == "undone" and scheme is not None and not scheme.copies:
        return f"kferry cutover --scheme {scheme.name} --dry-run{maps_again(maps)}"
    if record.state != "done" or record.facts.get("of"):
        return "kferry copy"
    # While there is a way back, ending the migration is not what comes next.
    returns = record.facts.get("way_back")
    return "kferry rollback --help, or kferry status" if returns else "kferry complete"


def _screen(
    request: "CutoverRequest",
    options: Options,
    stop: asyncio.Event,
    *,
    hooks: Path | None,
    producers_stopped: bool = False,
) -> "Screen":
    from kferry.cli.cutover_view import Screen  # noqa: PLC0415 as above

    return Screen(
        hooks=hooks_of(request, options, hooks),
        stop=stop,
        yes=options.yes,
        vouched=producers_stopped,
        json=options.json,
        quiet=options.quiet,
    )


def hooks_of(request: "CutoverRequest", options: Options, folder: Path | None) -> "Hooks":
    """Return the executables: those of the folder that was named, or beside the migration file."""
    from kferry.runbook.hooks import Hooks  # noqa: PLC0415 as above

    beside = options.config.parent if options.config is not None else Path()
    return Hooks(folder=folder or beside / "hooks", seconds=request.patience_s)
