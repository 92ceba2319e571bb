"""What every `inspect` has in common: both sides asked at once, one block for each.

Owns titles, gaps, errors, the shape of the JSON and the exit code. Knows no particular view.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from kferry.admin.view import Gap
from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say, show_error, styled, wrapped
from kferry.cli.options import Options
from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError, UsageError
from kferry.preflight import Side
from kferry.wire import Cluster, Limits, WireError, open_cluster

_LIMITS = Limits(connect=5, request=20, retry=3)
"""Shorter than for work: whoever looks wants to see what is there now."""


class Found(Protocol):
    """What was found always says what is missing from it."""

    @property
    def gaps(self) -> Sequence[Gap]:
        """What could not be seen."""
        ...


_F = TypeVar("_F", bound=Found)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Look(Generic[_F]):
    """One side: what was found there, or why nothing was."""

    side: Side
    where: str
    cluster_id: str = ""
    release: str = ""
    found: _F | None = None
    error: KferryError | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inspection(Generic[_F]):
    """One thing to look at: how it is asked, how it is shown, and what to look at after it."""

    name: str
    ask: Callable[[Cluster], Awaitable[_F]]
    show: Callable[[_F], list[str]]
    as_json: Callable[[_F], Mapping[str, Any]]
    then: str
    takes_topics: bool = False


def inspect(options: Options, inspection: Inspection[_F]) -> ExitCode:
    """Look at the named sides and answer, side by side."""
    looks = look_at_sides(options, inspection)
    if options.json:
        answer_json(sides_json(looks, inspection))
    else:
        for look in looks:
            show_side(look, inspection)
    return finish(options, looks, then=inspection.then)


def look_at_sides(options: Options, inspection: Inspection[_F]) -> list[Look[_F]]:
    """Ask the named sides, both at once."""
    named = {
        Side.SOURCE: options.source_settings,
        Side.TARGET: options.target_settings,
    }
    sides = {side: settings for side, settings in named.items() if settings is not None}
    if not sides:
        raise UsageError(
            "no cluster was named",
            hint=f"kferry inspect {inspection.name} --source HOST:PORT, or try it on two clusters "
            "of your own with `kferry sandbox up`",
        )
    if options.topic and not inspection.takes_topics:
        say(f"--topic plays no part in `inspect {inspection.name}`: all are shown")
    return loop.run(_all(sides, inspection.ask))


def finish(options: Options, looks: Sequence[Look[_F]], *, then: str) -> ExitCode:
    """Show why sides could not be asked at all, or name the next command."""
    failures = [look.error for look in looks if look.error is not None]
    for failure in failures:
        show_error(failure)
    if failures:
        say("next: mend what is said above, then run the same command again")
        return failures[0].exit_code
    say(f"next: kferry {then}{options.again()}")
    return ExitCode.DONE


def show_title(look: Look[_F]) -> None:
    """Write which cluster this is."""
    known = f"  Kafka {look.release}  cluster {look.cluster_id}" if look.release else ""
    answer(styled(f"{look.side.capitalize()}  {look.where}{known}", "bold"))


def show_gaps(gaps: Sequence[Gap]) -> None:
    """Say what is missing from the picture, why, and what would help."""
    for gap in gaps:
        for number, line in enumerate(wrapped(f"{gap.subject}: {gap.reason}", indent=" " * 8)):
            mark = styled("note", "warning") if number == 0 else "    "
            answer(f"  {mark}  {line.strip()}")
        for line in wrapped(f"hint: {gap.hint}", indent=" " * 8) if gap.hint else ():
            answer(styled(line, "dim"))
    if gaps:
        answer()


def plain(value: Any) -> Any:
    """Turn values into what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


async def _all(
    sides: Mapping[Side, ClusterSettings], ask: Callable[[Cluster], Awaitable[_F]]
) -> list[Look[_F]]:
    return [*await asyncio.gather(*(_one(side, sides[side], ask) for side in sides))]


async def _one(
    side: Side, settings: ClusterSettings, ask: Callable[[Cluster], Awaitable[_F]]
) -> Look[_F]:
    first, *others = settings.bootstrap
    where = f"{first}{f' and {len(others)} more' if others else ''}  {settings.protocol}"
    try:
        async with open_cluster(settings, _LIMITS) as cluster:
            cluster_id = cluster.metadata.cluster_id or "without an id"
            release = (await cluster.any_connection()).versions.release
            return Look(
                side=side,
                where=where,
                cluster_id=cluster_id,
                release=release,
                found=await ask(cluster),
            )
    except WireError as error:
        return Look(side=side, where=where, error=error)


def show_side(look: Look[_F], inspection: Inspection[_F]) -> None:
    """Show one side's block."""
    show_title(look)
    if look.found is not None:
        for line in inspection.show(look.found):
            answer(line)
        answer()
        show_gaps(look.found.gaps)


def sides_json(looks: Sequence[Look[_F]], inspection: Inspection[_F]) -> dict[str, Any]:
    """Put both sides as scripts read them; one that could not be asked has an `error`."""
    return {look.side: _side_json(look, inspection) for look in looks}


def _side_json(look: Look[_F], inspection: Inspection[_F]) -> dict[str, Any]:
    if look.found is None:
        error = look.error
        keys = ("code", "title", "detail", "hint")
        return {"error": {key: getattr(error, key) for key in keys}}
    return {
        "cluster_id": look.cluster_id,
        "release": look.release,
        **inspection.as_json(look.found),
        "gaps": plain(look.found.gaps),
    }
