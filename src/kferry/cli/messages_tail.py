"""`kferry messages tail`: records as they come.

Owns which sides are meant. Ends with Ctrl-C, which is no failure.
"""

import contextlib
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.message_flags import WHERE, LookFlags, Side, one_side, one_topic
from kferry.cli.message_lines import message_json, message_line
from kferry.cli.options import Options
from kferry.config import ClusterSettings
from kferry.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from kferry.migration.tailing import Tail

COMMAND = "messages tail"


def tail(
    *,
    on: Annotated[
        Side | None,
        Parameter(group=WHERE, help="which side, where both are named", show_default=False),
    ] = None,
    both: Annotated[
        bool,
        Parameter(
            group=WHERE,
            negative=(),
            help="both sides together; the topic by its name on the source",
            show_default=False,
        ),
    ] = False,
    from_end: Annotated[
        int,
        Parameter(
            group=WHERE, help="so many of the newest records of each side first", show_default=False
        ),
    ] = 0,
    flags: LookFlags | None = None,
    options: Options | None = None,
) -> ExitCode:
    """Show records as they come, until Ctrl-C; nothing is written."""
    options, flags = options or Options(), flags or LookFlags()
    if not 0 <= from_end < 1 << 62:
        raise UsageError(f"--from-end {from_end}: how many records is expected")
    topic = one_topic(options, COMMAND)
    sides = _sides(options, on, both=both)
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.tailing import Tail  # noqa: PLC0415

    wanted = Tail(
        sides=sides,
        topic=topic,
        migration=options.migration_name,
        partitions=flags.partitions,
        filters=flags.filters(),
        uncommitted=flags.uncommitted,
        from_end=from_end,
    )
    with contextlib.suppress(KeyboardInterrupt):
        loop.run(_follow(wanted, flags, options))
    say(f"next: kferry messages query{options.again(topics=True)}{f' --on {on}' if on else ''}")
    return ExitCode.DONE


async def _follow(wanted: "Tail", flags: LookFlags, options: Options) -> None:
    from kferry.migration.tailing import tail as follow  # noqa: PLC0415 as above

    named = len(wanted.sides) > 1
    async for side, message in follow(wanted, (lambda _: None) if options.quiet else say):
        if options.json:
            answer_json(message_json(message, side, flags.format))
            continue
        for line in message_line(message, side if named else "", flags.format):
            answer(line)


def _sides(options: Options, on: Side | None, *, both: bool) -> dict[str, ClusterSettings]:
    if not both:
        side, settings = one_side(options, on, COMMAND)
        return {side: settings}
    if on is not None:
        raise UsageError("--on and --both exclude each other")
    return dict(one_side(options, side, f"{COMMAND} --both") for side in ("source", "target"))
