"""The verbs `cutover` and `rollback`: from two clusters and a scheme to a walk.

Owns which walk is meant: there, back before the point of no return, or back behind it.
"""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from kferry.errors import ExitCode, KferryError
from kferry.migration.switching.way_back import delete_ledger
from kferry.runbook.back import NAME, WAY_BACK
from kferry.runbook.finding import CutoverRequest, newest
from kferry.runbook.opening import Opened, open_way_back, open_way_there, opened_sides
from kferry.runbook.operator import Operator
from kferry.runbook.record import Record
from kferry.runbook.runner import NoWayBack
from kferry.runbook.schemes import SCHEMES


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
        if known is None or _nothing_to_take_back(known):
            raise NoCutover(
                f"there is no cutover of {base.migration} to take back",
                hint="kferry cutover begins one; kferry status shows what there was",
            )
        if known.scheme in SCHEMES and not known.no_return:
            async with open_way_there(base, request, operator, stop) as opened:
                return await opened.runner().roll_back()
        under_way = known.scheme == NAME and known.open
        if request.give_up and not under_way:
            raise NoCutover(
                "no way back is being walked that could be given up",
                hint="kferry rollback takes a cutover back",
            )
        back = known if under_way else _begun(known)
        async with open_way_back(base, back, request, operator, stop) as opened:
            if request.give_up:
                return await opened.runner().roll_back()
            return await _all_the_way(opened)


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
            **({"fence": known.facts["fence"]} if "fence" in known.facts else {}),
        },
    )


async def _all_the_way(opened: Opened) -> Record:
    runner = opened.runner()
    record = await runner.walk()
    await opened.flow.rest()
    # The source is a source again: nothing of ours stays there.
    await delete_ledger(opened.live.target, opened.live.way.migration)
    return replace(record, scheme=WAY_BACK.name)
