"""`kferry complete`: what is about to change, the question, and what was done.

Owns the words. What is set is decided in `migration`.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say, wrapped
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.tables import visible
from kferry.errors import ExitCode, UsageError
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.book import TopicEntry
    from kferry.migration.complete import Completed

_MOST_NAMED = 20


def run(*, options: Options | None = None) -> ExitCode:
    """Give the target's topics the settings that they shall have after the copy.

    While kferry copies, retention and the cleaner are kept away from topics it created. From here
    on they work: what is older than a topic's retention goes. No record is copied after this.
    """
    options = options or Options()
    target = target_of(options, "complete")
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.complete import complete  # noqa: PLC0415

    done = loop.run(
        complete(
            target,
            migration=options.migration_name,
            source=options.source_settings,
            selection=options.selection,
            agree=lambda migration, waiting: _agree(migration, waiting, options),
        )
    )
    if options.json:
        answer_json(
            {
                "migration": done.migration,
                "completed": [entry.target for entry in done.topics] if done.agreed else [],
            }
        )
    else:
        answer(_said(done))
    say(f"next: kferry status{options.again()}")
    return ExitCode.DONE if done.agreed else ExitCode.REFUSED


def _said(done: "Completed") -> str:
    if not done.agreed:
        return "nothing was changed"
    if not done.topics:
        return f"{visible(done.migration)}: every topic has its settings already"
    have = "has its" if len(done.topics) == 1 else "have their"
    return f"{visible(done.migration)}: {many(len(done.topics), 'topic')} {have} own settings now"


def _agree(migration: str, waiting: "Sequence[TopicEntry]", options: Options) -> bool:
    """Say what will change, and ask."""
    if not options.yes and not sys.stdin.isatty():
        raise UsageError(
            "complete changes settings on the target, and there is nobody to ask",
            hint="--yes agrees beforehand",
        )
    if not options.quiet:
        say(f"{visible(migration)}: {many(len(waiting), 'topic')} on the target will get")
        for entry in waiting[:_MOST_NAMED]:
            say(f"  {visible(entry.target)}")
            for line in _settings(entry):
                say(line)
        if len(waiting) > _MOST_NAMED:
            say(f"  and {len(waiting) - _MOST_NAMED:,} more")
        say("soon after, the brokers delete the records that are older or more than this keeps")
    if options.yes:
        return True
    say("\nComplete? [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _settings(entry: "TopicEntry") -> list[str]:
    finish = sorted(entry.finish.items())
    given = ", ".join(f"{name}={visible(value)}" for name, value in finish if value is not None)
    lifted = ", ".join(name for name, value in finish if value is None)
    lines = [given, f"what the brokers have by default: {lifted}" if lifted else ""]
    return [part for line in lines for part in wrapped(line, indent="    ")]
