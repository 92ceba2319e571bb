"""The flags of `kferry messages`, and what they mean together.

Owns which of them exclude each other. Asks no cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from kferry.cli.options import Options, as_words
from kferry.config import ClusterSettings, parse_time
from kferry.errors import UsageError
from kferry.names import PartitionId, TopicName

if TYPE_CHECKING:
    from kferry.messages import Filters, Query

Format = Literal["text", "json", "hex"]
Side = Literal["source", "target"]

WHERE = Group("Where to look (without: everywhere, newest first)", sort_key=10)
WHICH = Group("Which records", sort_key=11)
SHOWN = Group("How they are shown", sort_key=12)
_LIMITS = Group("How far it goes", sort_key=13)
_MOST = 1 << 62


@Parameter(name="*", show_default=False)
@dataclass(frozen=True, kw_only=True)
class LookFlags:
    """What `query` and `tail` have in common."""

    partition: Annotated[
        tuple[int, ...],
        Parameter(group=WHERE, negative=(), help="a partition's number; repeatable"),
    ] = ()
    key: Annotated[
        str | None, Parameter(group=WHICH, allow_leading_hyphen=True, help="with this key")
    ] = None
    contains: Annotated[
        str | None,
        Parameter(
            group=WHICH,
            allow_leading_hyphen=True,
            help="with this text in the key, the value or a header's value",
        ),
    ] = None
    header: Annotated[
        tuple[str, ...],
        Parameter(group=WHICH, negative=(), help="with this header: NAME=VALUE; repeatable"),
    ] = ()
    uncommitted: Annotated[
        bool,
        Parameter(
            group=WHICH, negative=(), help="aborted and open transactions, too; they are marked"
        ),
    ] = False
    format: Annotated[
        Format | None,
        Parameter(
            group=SHOWN,
            help="keys and values as text (where they are), json or hex; with hex, --key and "
            "--contains are hex, too",
        ),
    ] = None

    def filters(self, *, from_time: int | None = None, to_time: int | None = None) -> "Filters":
        """Put together what a record must have."""
        # Imported here: `--help` and errors of the command line must not wait for the engine.
        from kferry.messages import Filters  # noqa: PLC0415

        return Filters(
            key=None if self.key is None else self._bytes(self.key, "--key"),
            contains=None if self.contains is None else self._bytes(self.contains, "--contains"),
            headers=tuple(map(header_of, self.header)),
            from_time=from_time,
            to_time=to_time,
        )

    @property
    def partitions(self) -> tuple[PartitionId, ...]:
        """The partitions that were named."""
        if any(one < 0 for one in self.partition):
            raise UsageError("--partition: partitions are numbers from 0 on")
        return tuple(PartitionId(one) for one in self.partition)

    def _bytes(self, text: str, where: str) -> bytes:
        if self.format != "hex":
            return text.encode(errors="surrogateescape")
        try:
            return bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            raise UsageError(f"{where}: `{text}` is not hex", hint=f"{where} 00ff2a") from None


@Parameter(name="*", show_default=False)
@dataclass(frozen=True, kw_only=True)
class QueryFlags(LookFlags):
    """What `query` alone understands."""

    from_time: Annotated[
        str | None,
        Parameter(
            group=WHERE, help="from a time on: 2026-03-01T12:00Z (no zone: UTC), or milliseconds"
        ),
    ] = None
    to_time: Annotated[
        str | None, Parameter(group=WHERE, help="before a time; what is as late is left out")
    ] = None
    offset: Annotated[
        int | None,
        Parameter(group=WHERE, help="from an offset on; with --newest-first: from it back"),
    ] = None
    last: Annotated[
        int | None, Parameter(group=WHERE, help="among the newest so many records of all")
    ] = None
    go_on: Annotated[
        str | None,
        Parameter(group=WHERE, help="where an earlier query stopped: PARTITION:OFFSET,…"),
    ] = None
    newest_first: Annotated[bool, Parameter(group=SHOWN, negative=(), help="back in time")] = False
    oldest_first: Annotated[
        bool, Parameter(group=SHOWN, negative=(), help="in the order of time")
    ] = False
    raw: Annotated[
        str | None,
        Parameter(
            group=SHOWN,
            allow_leading_hyphen=True,
            help="write the value of one record to a new file, byte for byte; - = here",
        ),
    ] = None
    limit: Annotated[
        int | None, Parameter(group=_LIMITS, help="find at most so many (20, or as --last says)")
    ] = None
    scan_records: Annotated[
        int | None, Parameter(group=_LIMITS, help="look at no more records (1,000,000)")
    ] = None
    scan_mib: Annotated[
        int | None, Parameter(group=_LIMITS, help="look at no more MiB of records (256)")
    ] = None

    def again(self, *left_out: str) -> str:
        """Return what must follow a next command so that it means the same query."""
        return as_words(self, left_out=left_out)

    def query(self, topic: TopicName) -> "Query":
        """Put together what is asked for."""
        self._check()
        from_time = _time(self.from_time, "--from-time")
        to_time = _time(self.to_time, "--to-time")
        if from_time is not None and to_time is not None and from_time >= to_time:
            raise UsageError(
                f"--to-time {self.to_time} is not after --from-time {self.from_time}",
                hint="what is as late as --to-time is left out",
            )
        from kferry.messages import Query, Where  # noqa: PLC0415 as above

        usual = 20 if self.last is None else self.last
        return Query(
            where=Where(
                topic=topic,
                partitions=self.partitions,
                from_time=from_time,
                to_time=to_time,
                offset=self.offset,
                left={} if self.go_on is None else _left(self.go_on),
            ),
            filters=self.filters(from_time=from_time, to_time=to_time),
            newest_first=self._newest_first,
            last=self.last,
            uncommitted=self.uncommitted,
            limit=2 if self.raw is not None else (usual if self.limit is None else self.limit),
            scan_records=1_000_000 if self.scan_records is None else self.scan_records,
            scan_bytes=(256 if self.scan_mib is None else self.scan_mib) << 20,
        )

    @property
    def _newest_first(self) -> bool:
        begins = self.from_time is not None or self.offset is not None or self.last is not None
        return self.newest_first or not (self.oldest_first or begins)

    def _check(self) -> None:
        if self.newest_first and self.oldest_first:
            raise UsageError("--newest-first and --oldest-first exclude each other")
        for name in ("offset", "last", "limit", "scan_records", "scan_mib"):
            least = 0 if name == "offset" else 1
            if (value := getattr(self, name)) is not None and not least <= value < _MOST:
                raise UsageError(
                    f"--{name.replace('_', '-')} {value}: a number from {least} on is expected"
                )
        times = self.from_time is not None or self.to_time is not None
        if sum((times, self.offset is not None, self.last is not None)) > 1:
            raise UsageError(
                "times, --offset and --last are three ways to say where to look; take one",
                hint="kferry messages query --help",
            )


def one_topic(options: Options, command: str) -> TopicName:
    """Return the topic that is meant: one, by its name."""
    if len(options.topic) == 1 and not _is_pattern(options.topic[0]):
        return TopicName(options.topic[0])
    said = "no topic was named" if not options.topic else "one topic at a time, by its whole name"
    raise UsageError(said, hint=f"kferry {command} --topic NAME; kferry inspect topics lists them")


def one_side(options: Options, on: Side | None, command: str) -> tuple[Side, ClusterSettings]:
    """Return the side that is meant, and its settings."""
    named: dict[Side, ClusterSettings | None] = {
        "source": options.source_settings,
        "target": options.target_settings,
    }
    there = [side for side, settings in named.items() if settings is not None]
    if on is None and len(there) == 2:
        raise UsageError(
            "both sides are named; which one is meant?",
            hint=f"kferry {command}{options.again(topics=True)} --on source (or target)",
        )
    side = on or (there[0] if there else "source")
    settings = named[side]
    if settings is None:
        what = f"no {side} was named" if on or there else "no cluster was named"
        raise UsageError(what, hint=f"kferry {command} --{side} HOST:PORT, or -c FILE")
    return side, settings


def header_of(text: str) -> tuple[str, bytes]:
    """Read NAME=VALUE."""
    name, sign, value = text.partition("=")
    if not sign:
        raise UsageError(f"--header {text}: NAME=VALUE is expected", hint="--header trace-id=42")
    return name, value.encode(errors="surrogateescape")


def _time(text: str | None, where: str) -> int | None:
    return None if text is None else parse_time(text, where=where).ms


def _left(text: str) -> Mapping[PartitionId, int]:
    try:
        pairs = [one.split(":") for one in text.split(",")]
        return {PartitionId(int(number)): int(offset) for number, offset in pairs}
    except ValueError:
        raise UsageError(
            f"--go-on {text}: PARTITION:OFFSET,… is expected",
            hint="take it from the last line of the query that stopped",
        ) from None


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[") or name.startswith("/")
