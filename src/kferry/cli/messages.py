"""`kferry messages query`: look at records of either side.

Owns what is said of how far a search came, and the exit codes. What is found is found in
`messages`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.message_flags import WHERE, QueryFlags, Side, one_side, one_topic
from kferry.cli.message_lines import message_json, message_table
from kferry.cli.options import Options
from kferry.errors import ExitCode, KferryError, UsageError
from kferry.units import binary_size, many

if TYPE_CHECKING:
    from kferry.config import ClusterSettings
    from kferry.messages import Message, Search

COMMAND = "messages query"


class NotOne(KferryError):
    """One record was to be written out, and there is none, or more, or it has no value."""

    code = "K273"
    exit_code = ExitCode.USAGE


def query(
    *,
    on: Annotated[
        Side | None,
        Parameter(group=WHERE, help="which side, where both are named", show_default=False),
    ] = None,
    flags: QueryFlags | None = None,
    options: Options | None = None,
) -> ExitCode:
    """Look at records by time, offset or content; nothing is written.

    Partitions come together in the order of time. What is not committed is left out.
    """
    options, flags = options or Options(), flags or QueryFlags()
    topic = one_topic(options, COMMAND)
    side, settings = one_side(options, on, COMMAND)
    wanted = flags.query(topic)
    if flags.raw is not None and flags.raw != "-" and Path(flags.raw).exists():
        raise UsageError(f"{flags.raw} is there already", hint="name a file that is not there yet")
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.messages import Search  # noqa: PLC0415

    search = Search(query=wanted)
    if flags.raw is not None:
        return _raw(settings, search, flags.raw)
    backwards = wanted.last is not None and not wanted.newest_first

    def told(message: "Message") -> None:
        answer_json(message_json(message, side, flags.format))

    at_once = told if options.json and not backwards else None
    found = loop.run(_found(settings, search, at_once))
    if backwards:
        found.reverse()
    if options.json:
        for message in found:
            told(message)
        answer_json(_summary(search))
    elif found:
        for line in message_table(found, flags.format):
            answer(line)
    return _end(search, flags, options, on, found)


async def _found(
    settings: "ClusterSettings", search: "Search", at_once: "Callable[[Message], None] | None"
) -> "list[Message]":
    """Search; what is told at once is not kept."""
    from kferry.migration.looking import query as look  # noqa: PLC0415 as above

    kept = []
    async for message in look(settings, search):
        if at_once is None:
            kept.append(message)
        else:
            at_once(message)
    return kept


def _raw(settings: "ClusterSettings", search: "Search", name: str) -> ExitCode:
    """Write the value of the one record that is found."""
    found = loop.run(_found(settings, search, None))
    offset = search.query.where.offset
    if offset is not None:
        found = [one for one in found if one.offset == offset]
    if len(found) != 1:
        what = "no record" if not found else "more than one record"
        raise NotOne(
            f"--raw writes one value, and {what} was found",
            hint="name it with --partition and --offset; without --raw they are listed",
            changed="Nothing was written.",
        )
    (message,) = found
    where = f"{message.partition} at {message.offset:,}"
    if message.value is None:
        raise NotOne(
            f"{where} has no value: it is null, which is not the same as empty",
            hint="without --raw its key and headers are shown",
            changed="Nothing was written.",
        )
    if name == "-":
        sys.stdout.buffer.write(message.value)
        sys.stdout.buffer.flush()
        return ExitCode.DONE
    try:
        with Path(name).open("xb") as file:
            file.write(message.value)
    except OSError as error:
        raise UsageError(f"{name} cannot be written", str(error)) from None
    say(f"wrote the value of {where}, {many(len(message.value), 'byte')}, to {name}")
    return ExitCode.DONE


def _end(
    search: "Search",
    flags: QueryFlags,
    options: Options,
    on: Side | None,
    found: "list[Message]",
) -> ExitCode:
    """Say how far the search came, and what to do next."""
    from kferry.messages import Limit  # noqa: PLC0415 as above

    named = options.again(topics=True)
    again = f"{named}{f' --on {on}' if on else ''}"
    looked = f"{many(search.scanned, 'record')} ({binary_size(search.scanned_bytes)}) looked at"
    say(f"{looked}, {search.found:,} found")
    for partition, failure in sorted(search.failures.items()):
        say(f"{partition} was not read to its end: {failure}")
    if search.hit is not None:
        say(f"stopped at {_limit(search)}: there is more to look at")
        say(f"next: kferry {COMMAND}{again}{_go_on(search, flags)}")
    elif search.failures:
        say(f"next: mend what is said above, then `kferry {COMMAND}{again}{flags.again()}` again")
    elif found:
        one = found[0]
        place = f" --partition {one.partition.partition} --offset {one.offset}"
        say(f"next: kferry {COMMAND}{again}{place} --raw FILE  (one value, byte for byte)")
    elif search.scanned:
        say(f"next: kferry {COMMAND}{again} --last 10  (what there is)")
    else:
        say(f"next: kferry inspect topics{named}")
    if search.failures:
        codes = {getattr(one, "exit_code", ExitCode.FAILED) for one in search.failures.values()}
        return ExitCode.TRY_AGAIN if codes == {ExitCode.TRY_AGAIN} else ExitCode.FAILED
    return ExitCode.STOPPED_EARLY if search.hit in {Limit.RECORDS, Limit.BYTES} else ExitCode.DONE


def _limit(search: "Search") -> str:
    query = search.query
    words = {
        "found": f"--limit {query.limit}",
        "records": f"--scan-records {query.scan_records}",
        "bytes": f"--scan-mib {query.scan_bytes >> 20}",
    }
    return words[search.hit or "found"]


def _go_on(search: "Search", flags: QueryFlags) -> str:
    """Return what makes the same query go on where it stopped."""
    query = search.query
    left = ",".join(
        f"{number}:{offset}"
        for number, offset in sorted({**query.where.left, **search.left}.items())
    )
    given = flags.again("last", "offset", "go_on", "newest_first", "oldest_first", "partition")
    if query.last is not None:
        given += f" --last {query.last - search.scanned}"
    order = " --newest-first" if query.newest_first else " --oldest-first"
    partitions = "".join(f" --partition {one}" for one in flags.partition)
    return f"{given}{partitions}{'' if query.last is not None else order} --go-on {left}"


def _summary(search: "Search") -> dict[str, Any]:
    return {
        "scanned": search.scanned,
        "scanned_bytes": search.scanned_bytes,
        "found": search.found,
        "limit": search.hit,
        "go_on": {str(number): offset for number, offset in sorted(search.left.items())},
        "unread": [
            {"topic": one.topic, "partition": one.partition, "reason": str(failure)}
            for one, failure in sorted(search.failures.items())
        ],
    }
