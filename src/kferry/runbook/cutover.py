"""The verbs `cutover` and `rollback`: from two clusters and a scheme to a walk.

Owns which walk is meant: there, back before the point of no return, or back behind it.
"""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from kferry.errors import ExitCode, KferryError
from kferry.ledger import open_ledger
from kferry.migration.switching.way_back import delete_ledger
from kferry.runbook.back import NAME, WAY_BACK
from kferry.runbook.finding import CutoverRequest, newest, with_word
from kferry.runbook.opening import Base, Opened, open_way_back, open_way_there, opened_sides
from kferry.runbook.operator import Operator
from kferry.runbook.record import Record
from kferry.runbook.runner import NoWayBack
from kferry.runbook.schemes import SCHEMES
from kferry.runbook.standing import handed_over, standings
from kferry.units import many, some


class NoCutover(KferryError):
    """There is nothing to take back."""

    code = "K252"
    exit_code = ExitCode.USAGE


async def cutover(request: CutoverRequest, *, operator: Operator, stop: asyncio.Event) -> Record:
    """Walk on to the end."""
    async with (
        opened_sides(request) as base,
        open_way_there(base, request, operator, stop) as opened,
    ):
        return await opened.runner().walk()


async def rollback(request: CutoverRequest, *, operator: Operator, stop: asyncio.Event) -> Record:
    """Take back what was walked: step by step, or, once there is no return, by the way back."""
    async with opened_sides(request) as base:
        known = newest(base.documents)
        if known is not None and await _swept(base, known):
            return known
        earlier = _earlier(base, known)
        if known is None or _nothing_to_take_back(known):
            raise NoCutover(
                f"there is no cutover of {base.migration} to take back",
                earlier,
                hint="kferry cutover begins one; kferry status shows what there was",
            )
        # Before anything is asked for: who has walked waves might mean another one, or all.
        operator.narrate(
            f"this is about the newest cutover: {many(len(known.topics), 'topic')}, "
            f"{some(known.topics, 5)}"
        )
        if earlier:
            operator.narrate(earlier)
        if known.scheme in SCHEMES and not known.no_return:
            async with open_way_there(base, request, operator, stop) as opened:
                return await opened.runner().roll_back()
        under_way = known.scheme == NAME and known.open
        if request.give_up and not under_way:
            raise NoCutover(
                "no way back is being walked that could be given up",
                hint="kferry rollback takes a cutover back",
            )
        back = with_word(request, known if under_way else _begun(known))
        async with open_way_back(base, back, request, operator, stop) as opened:
            if request.give_up:
                return await opened.runner().roll_back()
            return await _all_the_way(opened)


def _earlier(base: Base, known: Record | None) -> str:
    """Say which topics of other waves are on the target, where no rollback reaches them."""
    own = () if known is None else known.topics
    others = sorted(handed_over(standings(base.documents).ended) - set(own))
    if not others:
        return ""
    stay = "stays" if len(others) == 1 else "stay"
    return (
        f"{many(len(others), 'topic')} of earlier waves {stay} on the target: {some(others, 5)}; "
        "kferry rollback reaches only the newest cutover"
    )


async def _swept(base: Base, known: Record) -> bool:
    """Take away what a way back left on the source that was killed behind its last step."""
    name = known.facts.get("way_back")
    if known.scheme != NAME or known.state != "done" or not isinstance(name, str):
        return False
    source = base.sides.clusters.source
    if await open_ledger(source, name) is None:
        return False
    await delete_ledger(source, name)
    return True


def _nothing_to_take_back(known: Record) -> bool:
    """A way back that was itself taken back may be begun again."""
    return known.state == ("done" if known.scheme == NAME else "undone")


def _begun(known: Record) -> Record:
    """Begin the way back of a cutover that is behind the point of no return."""
    way_back = known.facts.get("way_back")
    if not isinstance(way_back, str):
        raise NoWayBack(
            "the point of no return is behind this cutover, and it has no way back",
            f"It was walked with the scheme {known.scheme}, without a way back.",
            hint="kferry cutover goes on with it" if known.open else "kferry complete ends it",
        )
    return Record(
        id=uuid.uuid4().hex[:8],
        scheme=NAME,
        topics=known.topics,
        groups=known.groups,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        facts={
            "way_back": way_back,
            "of": known.facts.get("of", known.id),
            "scheme": known.facts.get("scheme", known.scheme),
            **{key: known.facts[key] for key in ("fence", "uncommitted") if key in known.facts},
        },
    )


async def _all_the_way(opened: Opened) -> Record:
    runner = opened.runner()
    record = await runner.walk()
    await opened.flow.rest()
    # The source is a source again: nothing of ours stays there.
    await delete_ledger(opened.live.target, opened.live.way.migration)
    return replace(record, scheme=WAY_BACK.name)
