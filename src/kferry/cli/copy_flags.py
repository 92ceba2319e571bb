"""The flags of `kferry copy`, and the request they make together with the migration file.

Owns which of them exclude each other. Asks no cluster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from kferry.cli.options import Options, as_words
from kferry.cli.words import moment
from kferry.config import (
    Beginning,
    ClusterSettings,
    CopySettings,
    FromEnd,
    LedgerSettings,
    Since,
    Start,
    Unconsumed,
    check_rename,
    parse_rate,
    parse_time,
)
from kferry.config.plan_settings import TopicWishes
from kferry.config.renaming import Renaming
from kferry.errors import UsageError
from kferry.names import TopicName

if TYPE_CHECKING:
    from kferry.migration.requests import CopyRequest

_START = Group("Where it starts (one of them; without: at the beginning)", sort_key=10)
_STOP = Group("Where it stops (without: when it is told to)", sort_key=11)
_HOW = Group("How it copies", sort_key=12)


@Parameter(name="*", show_default=False)
@dataclass(frozen=True, kw_only=True)
class CopyFlags:
    """What `copy` alone understands. None and False: nothing was said."""

    since: Annotated[
        str | None,
        Parameter(
            group=_START, help="at a time: 2026-03-01T12:00Z (no zone: UTC), or milliseconds"
        ),
    ] = None
    from_end: Annotated[
        bool,
        Parameter(group=_START, negative=(), help="at the end: only what is written from now on"),
    ] = False
    unconsumed: Annotated[
        bool,
        Parameter(
            group=_START,
            negative=(),
            help="per partition at the smallest committed offset of all groups",
        ),
    ] = False
    live: Annotated[
        bool,
        Parameter(
            group=_START,
            negative=(),
            help="with --unconsumed: even while groups have members or ends move",
        ),
    ] = False
    until_caught_up: Annotated[
        bool,
        Parameter(group=_STOP, negative=(), help="end when all is there that the source holds now"),
    ] = False
    complete: Annotated[
        bool,
        Parameter(
            group=_STOP,
            negative=(),
            help="with --until-caught-up: then restore suspended retention",
        ),
    ] = False
    dry_run: Annotated[
        bool, Parameter(group=_STOP, negative=(), help="say what would be done; write nothing")
    ] = False
    map: Annotated[
        tuple[str, ...],
        Parameter(group=_HOW, negative=(), help="OLD=NEW: another name on the target; repeatable"),
    ] = ()
    rate: Annotated[
        str | None, Parameter(group=_HOW, help="at most so many bytes, as in 50MiB/s")
    ] = None
    on_gap: Annotated[
        Literal["stop", "record"] | None,
        Parameter(
            group=_HOW,
            help="records are gone from the source: stop there, or go on",
        ),
    ] = None
    append: Annotated[
        bool,
        Parameter(
            group=_HOW, negative=(), help="also behind records that target topics hold already"
        ),
    ] = False
    suspend_retention: Annotated[
        bool,
        Parameter(group=_HOW, negative=(), help="also on target topics that others created"),
    ] = False
    pipelining: Annotated[
        Literal["safe", "relaxed"] | None,
        Parameter(group=_HOW, help="relaxed: faster for old records, for less of a promise"),
    ] = None
    no_takeover: Annotated[
        bool,
        Parameter(
            group=_HOW, negative=(), help="exit 8 if another process copies, instead of taking over"
        ),
    ] = False
    slots: Annotated[
        int | None, Parameter(group=_HOW, help="partitions of the ledger topic, if it is new (8)")
    ] = None
    ledger_replication: Annotated[
        int | None, Parameter(group=_HOW, help="its replicas (3, or one per broker)")
    ] = None

    def again(self, *, how_only: bool = False) -> str:
        """Return what must follow a next command so that it means the same copy.

        Without `--dry-run`; with `how_only` also without where it stops, which that command says.
        """
        left_out = {"dry_run"} | ({"until_caught_up", "complete"} if how_only else set())
        return as_words(self, left_out=left_out)


def copy_request(
    options: Options, flags: CopyFlags, *, say: Callable[[str], None]
) -> "CopyRequest":
    """Put together what is asked for; `say` hears what had to be assumed."""
    file = options.file
    copy = file.copy if file is not None else CopySettings()
    ledger = file.ledger if file is not None else LedgerSettings()
    source, target = both_sides(options)
    start = _start(flags, copy, say)
    _check_company(flags, start)
    # Imported here: it brings the whole engine, which a wrong command line does not need.
    from kferry.migration.requests import CopyRequest  # noqa: PLC0415

    return CopyRequest(
        source=source,
        target=target,
        migration=options.migration_name,
        selection=options.selection,
        mapping=(file.rename if file is not None else Renaming()) | _mapping(flags.map),
        wishes=TopicWishes() if file is None else file.topic_wishes,
        start=start,
        until_caught_up=flags.until_caught_up,
        complete=flags.complete,
        rate=copy.rate if flags.rate is None else parse_rate(flags.rate, where="--rate"),
        append=flags.append or copy.append,
        suspend_retention=flags.suspend_retention or copy.suspend_retention,
        on_gap=flags.on_gap or copy.on_gap or "stop",
        live=flags.live,
        takeover=not flags.no_takeover,
        pipelining=flags.pipelining or copy.pipelining or "safe",
        dry_run=flags.dry_run,
        slots=_within("--slots", flags.slots, 1000) or ledger.slots or 8,
        replication=_within("--ledger-replication", flags.ledger_replication, 100)
        or ledger.replication,
    )


def both_sides(options: Options) -> tuple[ClusterSettings, ClusterSettings]:
    """Return the settings of both clusters, which a copy needs."""
    source, target = options.source_settings, options.target_settings
    if source is None or target is None:
        missing = "source" if source is None else "target"
        neither = source is None and target is None
        raise UsageError(
            "no cluster was named" if neither else f"no {missing} was named",
            hint="kferry copy --source HOST:PORT --target HOST:PORT --topic NAME, or a migration "
            "file with -c",
        )
    return source, target


def _start(flags: CopyFlags, copy: CopySettings, say: Callable[[str], None]) -> Start:
    given = {
        "--since": flags.since is not None,
        "--from-end": flags.from_end,
        "--unconsumed": flags.unconsumed,
    }
    chosen = [name for name, is_given in given.items() if is_given]
    if len(chosen) > 1:
        raise UsageError(
            f"{' and '.join(chosen)} exclude each other", hint="say one place to start from"
        )
    if flags.since is not None:
        time = parse_time(flags.since, where="--since")
        if time.assumed_utc:
            say(f"--since has no time zone and is taken as {moment(time.ms)} UTC")
        return Since(time.ms)
    if flags.from_end:
        return FromEnd()
    if flags.unconsumed:
        return Unconsumed()
    if isinstance(copy.start, Since) and copy.start_assumed_utc:
        say(f"copy.start has no time zone and is taken as {moment(copy.start.ms)} UTC")
    return copy.start or Beginning()


def _check_company(flags: CopyFlags, start: Start) -> None:
    if flags.complete and not flags.until_caught_up:
        raise UsageError(
            "--complete needs --until-caught-up",
            "A copy that follows has no end at which retention could be put back.",
            hint="kferry copy … --until-caught-up --complete",
        )
    if flags.live and not isinstance(start, Unconsumed):
        raise UsageError(
            "--live goes with --unconsumed alone",
            "Every other start may be taken while applications work.",
            hint="leave --live out",
        )


def _mapping(pairs: Sequence[str]) -> dict[TopicName, TopicName]:
    mapping: dict[TopicName, TopicName] = {}
    for pair in pairs:
        left, sign, right = pair.partition("=")
        if not sign:
            raise UsageError(f"--map {pair} is not a pair", hint="write --map OLD=NEW")
        old, new = check_rename(left, right)
        if mapping.get(old, new) != new:
            raise UsageError(f"--map gives `{old}` two names", hint="a topic goes to one place")
        if any(other != old and taken == new for other, taken in mapping.items()):
            raise UsageError(
                f"--map gives two topics the name `{new}`",
                hint="kferry does not merge topics: their order could not be kept",
            )
        mapping[old] = new
    return mapping


def _within(flag: str, value: int | None, most: int) -> int | None:
    if value is not None and not 1 <= value <= most:
        raise UsageError(f"{flag} must be from 1 to {most:,}", hint=f"leave {flag} out")
    return value
