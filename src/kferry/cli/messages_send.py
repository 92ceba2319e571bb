"""`kferry messages send`: a few records, as the console producer sends them.

Owns where the records come from, and that nothing is sent without `--execute`.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.message_flags import Side, header_of, one_side, one_topic
from kferry.cli.options import Options
from kferry.cli.stopping import StoppedNow, stoppable
from kferry.config import parse_time
from kferry.errors import ExitCode, UsageError
from kferry.names import PartitionId
from kferry.units import many

if TYPE_CHECKING:
    from kferry.cli.lines_in import LinesIn
    from kferry.messages import Draft, Sender, Sent
    from kferry.migration.sending import Goal

COMMAND = "messages send"
_WHAT = Group(
    "What is sent (without --value, --file, --tombstone: each line of input)", sort_key=10
)
_HOW = Group("Whether it is sent", sort_key=11)


@Parameter(name="*", show_default=False)
@dataclass(frozen=True, kw_only=True)
class SendFlags:
    """What `send` alone understands."""

    value: Annotated[
        str | None,
        Parameter(group=_WHAT, allow_leading_hyphen=True, help="one record with this value"),
    ] = None
    file: Annotated[
        Path | None, Parameter(group=_WHAT, help="one record with what is in a file as its value")
    ] = None
    tombstone: Annotated[
        bool, Parameter(group=_WHAT, negative=(), help="one record with a --key and no value")
    ] = False
    key: Annotated[
        str | None,
        Parameter(group=_WHAT, allow_leading_hyphen=True, help="the key (without: none)"),
    ] = None
    key_separator: Annotated[
        str | None,
        Parameter(
            group=_WHAT,
            allow_leading_hyphen=True,
            help=r"each line is KEY, this, VALUE; \t is a tab",
        ),
    ] = None
    header: Annotated[
        tuple[str, ...], Parameter(group=_WHAT, negative=(), help="NAME=VALUE; repeatable")
    ] = ()
    partition: Annotated[
        int | None,
        Parameter(group=_WHAT, help="to this partition (without: by the key, as Java does)"),
    ] = None
    timestamp: Annotated[
        str | None, Parameter(group=_WHAT, help="ISO time or milliseconds (without: now)")
    ] = None
    execute: Annotated[
        bool, Parameter(group=_HOW, negative=(), help="send; without it nothing is sent")
    ] = False
    force: Annotated[
        bool,
        Parameter(group=_HOW, negative=(), help="also to a source, or behind a copy's records"),
    ] = False

    @property
    def reads_lines(self) -> bool:
        """Whether values come from standard input."""
        return self.value is None and self.file is None and not self.tombstone


def send(
    *,
    on: Annotated[
        Side | None,
        Parameter(
            help="which side (the target; a source needs --force)", group=_HOW, show_default=False
        ),
    ] = None,
    flags: SendFlags | None = None,
    options: Options | None = None,
) -> ExitCode:
    """Send records, acknowledged by all replicas; say where each lies. Without --execute: a try.

    A topic that a copy writes to is refused: a record from others would stop the copy.
    """
    options, flags = options or Options(), flags or SendFlags()
    topic = one_topic(options, COMMAND)
    only_source = options.target_settings is None and options.source_settings is not None
    side, settings = one_side(options, on or ("source" if only_source else "target"), COMMAND)
    draft = _draft(flags)
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.sending import Goal  # noqa: PLC0415

    goal = Goal(settings=settings, side=side, topic=topic, force=flags.force)
    again = f"{options.again(side, topics=True)}"
    try:
        sent = loop.run(stoppable(lambda stop: _send(goal, draft, flags, options, stop), say=say))
    except StoppedNow:
        say("stopped now; whether the last ones were written, nobody knows")
        say(f"next: kferry messages query{again} --last 10")
        return ExitCode.STOPPED_EARLY
    if flags.execute:
        if options.json:
            answer_json({"sent": sent})
        say(f"{many(sent, 'record')} sent to {topic} on the {side}")
        say(f"next: kferry messages query{again} --last {max(1, min(sent, 10))}")
    else:
        say("nothing was sent")
        say("next: the same command with --execute sends")
    return ExitCode.DONE


async def _send(
    goal: "Goal", draft: "Draft", flags: SendFlags, options: Options, stop: asyncio.Event
) -> int:
    from kferry.cli.lines_in import LinesIn  # noqa: PLC0415 as above
    from kferry.migration.sending import open_sender  # noqa: PLC0415 as above

    async with open_sender(goal) as sender:
        sender.check(draft)
        if not flags.execute:
            say(
                f"{'each line' if flags.reads_lines else '1 record'} would go to {goal.topic}, "
                f"{many(sender.partitions, 'partition')}, on the {goal.side}"
            )
            return 0
        if not flags.reads_lines:
            _tell(sender, await sender.send([draft]), options)
            return sender.sent
        if os.isatty(0):
            say("each line becomes a record; Ctrl-D or Ctrl-C ends")
        lines, number = LinesIn(), 0
        while some := await _unless(stop, lines):
            drafts, bad = _drafts(some, draft, flags, number)
            number += len(some)
            _tell(sender, await sender.send(drafts), options)
            if bad is not None:
                raise bad
        return sender.sent


async def _unless(stop: asyncio.Event, lines: "LinesIn") -> list[bytes]:
    """Wait for lines, or for the end."""
    waiting = asyncio.ensure_future(lines.some())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    return []


def _draft(flags: SendFlags) -> "Draft":
    """Put together what every record has; whoever reads lines adds to it."""
    if sum((flags.value is not None, flags.file is not None, flags.tombstone)) > 1:
        raise UsageError("--value, --file and --tombstone are three kinds of record; take one")
    if flags.key_separator is not None and (flags.key is not None or not flags.reads_lines):
        raise UsageError(
            "--key-separator takes the key from each line of input",
            hint="leave --key, --value and --file out, or the separator",
        )
    if flags.key_separator == "":
        raise UsageError("--key-separator is empty", hint=r"--key-separator '\t'")
    if flags.tombstone and flags.key is None:
        raise UsageError("a tombstone is about a key", hint="add --key KEY")
    if flags.partition is not None and flags.partition < 0:
        raise UsageError("--partition: partitions are numbers from 0 on")
    at = None if flags.timestamp is None else parse_time(flags.timestamp, where="--timestamp")
    from kferry.messages import Draft  # noqa: PLC0415 as above

    return Draft(
        key=None if flags.key is None else _bytes(flags.key),
        value=_value(flags),
        headers=tuple(map(header_of, flags.header)),
        partition=None if flags.partition is None else PartitionId(flags.partition),
        timestamp=None if at is None else at.ms,
    )


def _value(flags: SendFlags) -> bytes | None:
    if flags.file is not None:
        try:
            return flags.file.read_bytes()
        except OSError as error:
            raise UsageError(f"{flags.file} cannot be read", str(error)) from None
    return None if flags.value is None else _bytes(flags.value)


def _drafts(
    lines: Sequence[bytes], draft: "Draft", flags: SendFlags, number: int
) -> "tuple[list[Draft], UsageError | None]":
    """Make records of lines, up to the first that cannot be one."""
    if flags.key_separator is None:
        return [replace(draft, value=line) for line in lines], None
    separator = _bytes(flags.key_separator.replace("\\t", "\t"))
    drafts: list[Draft] = []
    for at, line in enumerate(lines, number + 1):
        key, found, value = line.partition(separator)
        if not found:
            return drafts, UsageError(
                f"line {at:,} has no `{flags.key_separator}` between key and value",
                changed="The lines before it were sent.",
                hint="mend it, and send it and the rest",
            )
        drafts.append(replace(draft, key=key, value=value))
    return drafts, None


def _tell(sender: "Sender", places: "Sequence[Sent]", options: Options) -> None:
    for place in places:
        if options.json:
            answer_json(
                {"topic": sender.topic, "partition": place.partition, "offset": place.offset}
            )
        else:
            answer(f"{place.partition}:{place.offset}")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
