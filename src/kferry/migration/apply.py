"""The verb `apply`: what was planned is done on the target, in an order that holds, and read back.

Owns the order, and that one failure does not stop what does not depend on it. Additive only:
nothing is deleted, nothing shrinks, and nothing is written to the source.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from kferry.access import apply_access
from kferry.access.user_plan import USER
from kferry.errors import ExitCode, KferryError
from kferry.migration.apply_book import Book, open_book
from kferry.migration.clusters import Sides, open_sides
from kferry.migration.plan import Made, make
from kferry.migration.planning import Applied, PlanRequest
from kferry.names import TopicName
from kferry.plans import Action, Item, Outcome, Plan, fingerprint, in_order
from kferry.topics.applying import TopicWork, apply_topics, work_of
from kferry.topics.planning_items import TOPIC

Narrate = Callable[[str], None]
Agree = Callable[[Plan], bool]
"""Shows a plan and asks whether to go on."""


class MovedOn(KferryError):
    """The clusters are not as they were when the plan was made."""

    code = "K230"
    exit_code = ExitCode.REFUSED


async def apply(
    request: PlanRequest, *, agree: Agree, narrate: Narrate, reviewed: Plan | None = None
) -> Applied:
    """Do what a plan says; with `reviewed`, just what was seen in that one."""
    async with open_sides(request.source, request.target) as sides:
        made = await make(sides, request, sized=False)
        if reviewed is not None:
            made = replace(made, plan=as_reviewed(made.plan, reviewed, ours=_ours(made)))
        if not made.plan.work:
            return Applied(plan=made.plan)
        if not agree(made.plan):
            return Applied(plan=made.plan, agreed=False)
        run = _Run(sides=sides, request=request, made=made, narrate=narrate)
        return Applied(plan=made.plan, outcomes=await run.all())


def _ours(made: Made) -> set[str]:
    """Refer to the topics that this migration has made since it began."""
    return {f"{TOPIC}:{one.target}" for one in made.entries.values() if one.created}


def as_reviewed(fresh: Plan, reviewed: Plan, *, ours: Collection[str] = ()) -> Plan:
    """Leave of a fresh plan what a reviewed one holds; refuse if it is not the same work.

    `ours` are references of what an apply has made.
    """
    for side, was, is_ in (
        ("source", reviewed.source_id, fresh.source_id),
        ("target", reviewed.target_id, fresh.target_id),
        ("migration", reviewed.migration, fresh.migration),
    ):
        if was != is_:
            raise MovedOn(
                "this plan is for something else",
                f"its {side} is {was}, and {is_} is here",
                hint="name the clusters and the migration that it was made for",
            )
    if fingerprint(reviewed.items) != reviewed.facts_hash:
        raise MovedOn(
            "the plan was changed after it was made",
            hint="kferry plan --out FILE makes another one",
        )
    now = {item.ref: item for item in fresh.items}
    moved = [was for was in reviewed.work if not _still(was, now.get(was.ref), ours)]
    if moved:
        raise MovedOn(
            "the clusters, or what is wished, have moved on since the plan was made",
            "\n".join(f"{was.ref}: {_said(was)}; now: {_said(now.get(was.ref))}" for was in moved),
            hint="look at it again: kferry plan --out FILE",
        )
    refs = {item.ref for item in reviewed.items}
    # What was not to be done when it was looked at is not done now, either.
    kept = (item for item in fresh.items if item.ref in refs)
    worked = {item.ref for item in reviewed.work}
    return replace(
        fresh,
        items=tuple(item if item.ref in worked else replace(item, work=None) for item in kept),
    )


def _still(was: Item, now: Item | None, ours: Collection[str]) -> bool:
    """Whether just this is to be done, or was done since."""
    if now is None:
        return False
    if now.action is Action.SAME:
        # What we have done is told in other words than what we were to do; what others have done
        # in the meantime need not be what was looked at.
        return was.ref in ours or was.kind == USER or set(now.details) <= set(was.details)
    return fingerprint([was]) == fingerprint([now])


def _said(item: Item | None) -> str:
    if item is None:
        return "not there"
    return f"{item.action}{f' ({item.reason})' if item.reason else ''}"


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run of the verb."""

    sides: Sides
    request: PlanRequest
    made: Made
    narrate: Narrate
    _book: Book | None = None

    async def all(self) -> tuple[Outcome, ...]:
        """Apply every item that needs none that failed."""
        outcomes: dict[str, Outcome] = {}
        for step in in_order(self.made.plan.work):
            ready = []
            for item in step:
                needed = next(
                    (ref for ref in item.after if ref in outcomes and not outcomes[ref].done), None
                )
                if needed is None:
                    ready.append(item)
                else:
                    outcomes[item.ref] = Outcome(item=item, skipped=needed)
            for outcome in await self._step(ready):
                outcomes[outcome.item.ref] = outcome
        return tuple(outcomes[item.ref] for item in self.made.plan.work)

    async def _step(self, items: Sequence[Item]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        topics = [item for item in items if item.kind == TOPIC]
        others = [item for item in items if item.kind != TOPIC]
        if topics:
            outcomes += await _whatever_comes(topics, self._topics)
        if others:
            outcomes += await _whatever_comes(others, self._access)
        return outcomes

    async def _access(self, items: Sequence[Item]) -> list[Outcome]:
        self.narrate(f"access: {len(items):,} rules, users and quotas to be made")
        failures = await apply_access(self.sides.clusters.target, items, self.request.access)
        return [Outcome(item=item, error=failures[item.ref]) for item in items]

    async def _topics(self, items: Sequence[Item]) -> list[Outcome]:
        works = {item.ref: work_of(item) for item in items}
        remembered = [work for work in works.values() if work.creates or work.finish]
        book = await self._opened() if remembered else None
        if book is not None:
            await book.remember(remembered, self.made.source_ids)
        self.narrate(f"topics: {len(items):,} to be made or changed")
        failures = await apply_topics(self.sides.clusters.target, list(works.values()))
        if book is not None:
            await book.seen(_done(remembered, failures))
        return [Outcome(item=item, error=failures[TopicName(item.name)]) for item in items]

    async def _opened(self) -> Book:
        if self._book is None:
            self._book = await open_book(
                self.sides,
                self.request,
                migration=self.made.plan.migration,
                entries=self.made.entries,
            )
        return self._book


def _done(
    works: Sequence[TopicWork], failures: Mapping[TopicName, KferryError | None]
) -> list[TopicWork]:
    return [work for work in works if failures[work.target] is None]


async def _whatever_comes(
    items: Sequence[Item], do: Callable[[Sequence[Item]], Awaitable[list[Outcome]]]
) -> list[Outcome]:
    """What fails as a whole is the outcome of each: other kinds are still tried."""
    try:
        return await do(items)
    except KferryError as error:
        return [Outcome(item=item, error=error) for item in items]
