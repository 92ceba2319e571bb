"""`kferry complete`: what is about to change, the question, and what was done.

Owns the words. What is set is decided in `migration`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.asking import agreed, insist_on_somebody
from kferry.cli.console import answer, answer_json, fitted, say, wrapped
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.tables import visible
from kferry.cli.words import size
from kferry.errors import ExitCode, UsageError
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.book import TopicEntry
    from kferry.migration.complete import Completed
    from kferry.migration.going import Outlook

_MOST_NAMED = 20


def run(
    *,
    force: Annotated[
        bool,
        Parameter(
            help="also if that takes records from groups that have yet to read them",
            negative=(),
            show_default=False,
        ),
    ] = False,
    report: Annotated[
        Path | None,
        Parameter(
            help="keep in a file what was moved: topics, and each switch's time and offsets",
            show_default=False,
        ),
    ] = None,
    options: Options | None = None,
) -> ExitCode:
    """End a migration: the target's topics get the settings that they shall have after the copy.

    While kferry copies, retention and the cleaner are kept away from topics it created. From here
    on they work: what is older than a topic's retention goes. No record is copied after this. The
    ledger stays; with --report its essence is kept in a file, also later.
    """
    options = options or Options()
    if report is not None and not report.absolute().parent.is_dir():
        raise UsageError(
            f"there is no directory {report.absolute().parent}", hint="--report names a file"
        )
    target = target_of(options, "complete")
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.complete import complete  # noqa: PLC0415

    done = loop.run(
        complete(
            target,
            migration=options.migration_name,
            source=options.source_settings,
            selection=options.selection,
            agree=lambda migration, waiting, found: _agree(migration, waiting, found, options),
            force=force,
        )
    )
    if report is not None and done.agreed:
        from kferry.migration.final_report import write_report  # noqa: PLC0415 as above

        write_report(report, dict(done.report))
    if options.json:
        answer_json(
            {
                "migration": done.migration,
                "completed": [entry.target for entry in done.topics] if done.agreed else [],
                "going": [
                    {"topic": one.topic, "offsets": one.offsets, "bytes": one.bytes}
                    for one in done.outlook.going
                ],
                "behind": [
                    {
                        "group": one.group,
                        "topic": one.place.topic,
                        "partition": one.place.partition,
                        "position": one.position,
                        "up_to": one.up_to,
                    }
                    for one in done.outlook.behind
                ],
                "report": str(report) if report is not None and done.agreed else None,
            }
        )
    else:
        answer(_said(done))
        if report is not None and done.agreed:
            answer(f"what was moved is in {report}")
    say(f"next: kferry status{options.again()}")
    return ExitCode.DONE if done.agreed else ExitCode.REFUSED


def _said(done: "Completed") -> str:
    if not done.agreed:
        return "nothing was changed"
    if not done.topics:
        return f"{visible(done.migration)}: every topic has its settings already"
    have = "has its" if len(done.topics) == 1 else "have their"
    return f"{visible(done.migration)}: {many(len(done.topics), 'topic')} {have} own settings now"


def _agree(
    migration: str, waiting: "Sequence[TopicEntry]", found: "Outlook", options: Options
) -> bool:
    """Say what will change, and ask."""
    insist_on_somebody(options, "complete changes settings on the target")
    if not options.quiet:
        say(f"{visible(migration)}: {many(len(waiting), 'topic')} on the target will get")
        for entry in waiting[:_MOST_NAMED]:
            say(f"  {visible(entry.target)}")
            for line in _settings(entry):
                say(line)
        if len(waiting) > _MOST_NAMED:
            say(f"  and {len(waiting) - _MOST_NAMED:,} more")
        for line in _outlook_lines(found):
            say(line)
    return agreed(options, "\nComplete?")


def _outlook_lines(found: "Outlook") -> list[str]:
    """Say what the brokers will delete."""
    lines = []
    for one in found.going[:_MOST_NAMED]:
        if one.compacted:
            lines += fitted(
                f"  {visible(one.topic)}: the cleaner works again: of each key the newest record "
                "stays"
            )
        if one.offsets:
            much = (
                "" if one.bytes is None else f"about {size(one.bytes)} of {size(one.total_bytes)}, "
            )
            lines += fitted(
                f"  {visible(one.topic)}: {much}{many(one.offsets, 'offset')}, by {one.why}"
            )
    if len(found.going) > _MOST_NAMED:
        lines.append(f"  and {len(found.going) - _MOST_NAMED:,} more topics")
    behind = [
        f"  {visible(one.group)} has yet to read {visible(str(one.place))} from {one.position:,} on"
        for one in found.behind[:_MOST_NAMED]
    ]
    if behind:
        behind = ["of this, groups have yet to read:", *behind]
    if not lines:
        return ["nothing is older or more than this keeps, as of now"]
    return ["soon after, the brokers may delete:", *lines, *behind]


def _settings(entry: "TopicEntry") -> list[str]:
    finish = sorted(entry.finish.items())
    given = ", ".join(f"{name}={visible(value)}" for name, value in finish if value is not None)
    lifted = ", ".join(name for name, value in finish if value is None)
    lines = [given, f"what the brokers have by default: {lifted}" if lifted else ""]
    return [part for line in lines for part in wrapped(line, indent="    ")]
