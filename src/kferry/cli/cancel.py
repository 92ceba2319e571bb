"""`kferry cancel`: what is about to be given up, the question, and what was done.

Owns the words, and that a number is typed before topics are deleted.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.arguments import ASK
from kferry.cli.asking import agreed, insist_on_somebody, typed
from kferry.cli.console import answer, answer_json, fitted, say
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.tables import visible
from kferry.errors import ExitCode, UsageError
from kferry.units import many, some

if TYPE_CHECKING:
    from kferry.migration.cancelling import Created, Leftovers
    from kferry.runbook.cancel import Cancelled

_MOST_NAMED = 20


def run(
    *,
    delete_created: Annotated[
        str | None,
        Parameter(
            help="delete topics that kferry created and that hold nothing but its records; asks "
            "for their number, or takes it: --delete-created 3",
            show_default=False,
        ),
    ] = None,
    export: Annotated[
        Path | None,
        Parameter(
            help="where the ledger is kept (kferry-ledger-MIGRATION-TIME.jsonl)",
            show_default=False,
        ),
    ] = None,
    options: Options | None = None,
) -> ExitCode:
    """Give a migration up before anything was handed over, and take away what it left.

    Settings of topics that kferry did not create, and positions of groups on the target, become
    what they were; the ledger goes into a file and is deleted. The source has nothing of kferry.
    """
    options = options or Options()
    target = target_of(options, "cancel")
    if options.topic:
        raise UsageError(
            "--topic means nothing here: cancel gives a whole migration up",
            hint="leave it out; kferry ledger show lists what the migration holds",
        )
    number = _number(delete_created)
    _insist_on_number(options, delete=delete_created is not None, number=number)
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.runbook.cancel import CancelRequest, cancel  # noqa: PLC0415

    request = CancelRequest(
        target=target,
        migration=options.migration_name,
        source=options.source_settings,
        delete=delete_created is not None,
        file=export,
    )
    done = loop.run(
        cancel(
            request,
            agree=lambda found: _agree(found, options, delete=request.delete, number=number),
            name_file=_file_named,
            tell=lambda line: None if options.quiet or options.json else say(line),
        )
    )
    if options.json:
        answer_json(_as_json(done))
    else:
        for line in _said(done, deleting=request.delete):
            answer(line)
    say(f"next: kferry inspect topics{options.again('target')}")
    return ExitCode.DONE if done.agreed else ExitCode.REFUSED


def _number(given: str | None) -> int | None:
    if given is None or given == ASK:
        return None
    if not given.isascii() or not given.isdigit():
        raise UsageError(
            f"--delete-created {given} is no number",
            hint="--delete-created 3 says how many topics go; without a number it is asked for",
        )
    return int(given)


def _insist_on_number(options: Options, *, delete: bool, number: int | None) -> None:
    if options.yes and delete and number is None:
        raise UsageError(
            "--yes agrees to deleting topics only if it is said how many",
            hint="run it without --yes first: it shows which topics go, and asks for their number",
        )
    insist_on_somebody(options, "cancel takes away what a migration left on the target")


def _file_named(migration: str) -> Path:
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path(f"kferry-ledger-{migration}-{at}.jsonl")


def _agree(found: "Leftovers", options: Options, *, delete: bool, number: int | None) -> bool:
    """Say what will be done, and ask; topics are deleted only for their number."""
    going = found.deletable if delete else []
    if not options.quiet:
        for line in _plan_lines(found, delete=delete):
            say(line)
    if number is not None and number != len(going):
        raise UsageError(
            f"--delete-created says {number:,}, and {many(len(going), 'topic')} would be deleted",
            some((visible(one.entry.target) for one in going), _MOST_NAMED),
            hint="run it without --yes and without the number: it shows them, and asks",
        )
    if going and number is None and not options.yes:
        asked = f"\nType {len(going)} to delete {many(len(going), 'topic')} and give it all up:"
        return typed(asked) == str(len(going))
    return agreed(options, "\nGive this migration up?")


def _plan_lines(found: "Leftovers", *, delete: bool) -> list[str]:
    going = found.deletable if delete else []
    lines = [f"{visible(found.ledger.migration)} will be given up:"]
    keep = {one.entry.target for one in going}
    restored = [visible(one.target) for one in found.suspended if one.target not in keep]
    if restored:
        lines += fitted(
            f"  {many(len(restored), 'topic')} on the target get their own settings, by which the "
            f"brokers delete what is too old: {some(restored, _MOST_NAMED)}"
        )
    groups = {visible(one.image.group) for one in found.positions}
    if groups:
        lines += fitted(
            f"  {many(len(found.positions), 'position')} on the target become what they were: "
            f"groups {some(groups, _MOST_NAMED)}"
        )
    for one in going:
        records = many(one.records, "offset")
        lines += fitted(f"  to be deleted: {visible(one.entry.target)}, which has {records}")
    lines += _staying(found, delete=delete)
    return [
        *lines,
        *fitted(
            f"  the ledger ({many(found.documents, 'document')}) goes into a file and is deleted"
        ),
        *fitted("  access rules, users and quotas that kferry apply created stay"),
    ]


def _staying(found: "Leftovers", *, delete: bool) -> list[str]:
    if not delete:
        names = [visible(one.entry.target) for one in found.created]
        if not names:
            return []
        return fitted(
            f"  {many(len(names), 'topic')} that kferry created stay, with what was copied: "
            f"{some(names, _MOST_NAMED)}; --delete-created deletes them"
        )
    return [line for one in found.created if one.why for line in _stays(one)]


def _stays(one: "Created") -> list[str]:
    return fitted(f"  stays: {visible(one.entry.target)}, because {visible(one.why)}")


def _said(done: "Cancelled", *, deleting: bool) -> list[str]:
    if done.found is None:
        others = f"; there are {some(map(visible, done.others), 5)}" if done.others else ""
        return fitted(f"nothing to do: there is no such migration on this target{others}")
    if not done.agreed:
        return ["nothing was changed"]
    from kferry.groups import Step  # noqa: PLC0415 as above

    lines = [f"{visible(done.migration)} is given up"]
    back = sum(one.step in {Step.SET, Step.SAME} for one in done.positions)
    if done.positions:
        lines.append(f"  {many(back, 'position')} on the target as before")
    for one in done.positions:
        if one.step is Step.AHEAD:
            where = f"{visible(one.image.group)}, {visible(str(one.image.place))}"
            lines += fitted(f"  left alone: {where}: {visible(one.reason)}")
    lines += [f"  deleted: {visible(one.entry.target)}" for one in done.deleted]
    if deleting:
        lines += [line for one in done.found.created if one.why for line in _stays(one)]
    return [*lines, f"  its ledger is in {done.file} ({many(done.documents, 'document')})"]


def _as_json(done: "Cancelled") -> dict[str, object]:
    found = done.found
    gone = {one.entry.target for one in done.deleted}
    return {
        "migration": done.migration,
        "cancelled": found is not None and done.agreed,
        "restored": [one.target for one in found.suspended if one.target not in gone]
        if found is not None and done.agreed
        else [],
        "positions": [
            {
                "group": one.image.group,
                "topic": one.image.place.topic,
                "partition": one.image.place.partition,
                "before": one.image.before,
                "step": one.step.value,
                "reason": one.reason,
            }
            for one in done.positions
        ],
        "deleted": sorted(gone),
        "kept": [
            {"topic": one.entry.target, "reason": one.why}
            for one in (found.created if found is not None else ())
            if one.entry.target not in gone
        ],
        "ledger": None if done.file is None else str(done.file),
        "documents": done.documents,
    }
