"""What is to be done about each topic: make it, change it, leave it, or ask somebody.

Owns the sorting of topics into these, from one look at both sides. Changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.configs import Configs
from kferry.admin.operations import Operation, Resource
from kferry.admin.view import DENIED, Gap, Question, View, view_of
from kferry.config.plan_settings import TopicWishes
from kferry.names import BrokerId, TopicName
from kferry.plans import Item
from kferry.topics.effective import effective_configs
from kferry.topics.facts import Topics
from kferry.topics.hazard_case import Hazard
from kferry.topics.hazards import find_hazards
from kferry.topics.inventory import CONFIGS
from kferry.topics.pairing import TopicPair, pair_topics
from kferry.topics.planning_diff import as_it_will_be, difference
from kferry.topics.planning_items import (
    Existing,
    Kept,
    hidden_there,
    item_of_existing,
    item_of_new,
    lost,
    not_told,
    remade,
    taken,
)
from kferry.topics.planning_new import look_at_new
from kferry.topics.planning_racks import in_one_rack, the_only_rack
from kferry.topics.planning_wishes import as_wished, unseen
from kferry.topics.terms import TargetTerms, take_terms
from kferry.wire import Broker, Cluster, Topic, WireError

_THERE = Question(subject="topics", since="0.10", right=Operation.DESCRIBE, on=Resource.TOPIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """What is to be done about topics, and under which name each one is on the target."""

    items: tuple[Item, ...]
    names: Mapping[TopicName, TopicName]


async def plan_topics(
    source: Cluster,
    target: Cluster,
    topics: Topics,
    *,
    wishes: TopicWishes,
    mapping: Mapping[TopicName, TopicName],
    kept: Mapping[TopicName, Kept],
    suspend_retention: bool,
) -> TopicPlan:
    """Compare topics of the source with what the target has of them.

    `kept` is what the migration remembers, by the source's name.
    """

    def called(name: TopicName) -> TopicName:
        return kept[name].target if name in kept else mapping.get(name, name)

    everything = (await target.refresh(None)).topics
    # Asked name by name: a mapping of patterns cannot be listed.
    names = {str(one.name): str(called(one.name)) for one in topics.topics}
    pairs = pair_topics(topics.topics, names, existing=list(everything))
    metadata = await target.refresh({one.target for one in pairs})
    planner = _Planner(
        source=source,
        target=target,
        wishes=wishes,
        kept=kept,
        taken={one.target: name for name, one in kept.items()},
        suspend_retention=suspend_retention,
        theirs=metadata.topics,
        brokers=metadata.brokers,
        view=await view_of(target),
    )
    items = await planner.items(pairs, _untold(topics.gaps))
    items += [not_told(called(name), gap, "source") for name, gap in _hidden(topics).items()]
    return TopicPlan(
        items=tuple(sorted(items, key=lambda item: item.name)),
        names={one.source.name: one.target for one in pairs},
    )


def _untold(gaps: Iterable[Gap]) -> dict[TopicName, Gap]:
    """Find the topics whose configs the source keeps from us alone, not from everybody."""
    return {
        TopicName(name): gap
        for gap in gaps
        if gap.subject == CONFIGS.subject and gap.hint
        for name in gap.concerns
    }


def _hidden(topics: Topics) -> dict[TopicName, Gap]:
    """Find the topics that were named and may not be seen."""
    return {
        TopicName(name): gap
        for gap in topics.gaps
        if gap.subject == _THERE.subject and gap.hint
        for name in gap.concerns
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planner:
    """One look at both sides."""

    source: Cluster
    target: Cluster
    wishes: TopicWishes
    kept: Mapping[TopicName, Kept]
    taken: Mapping[TopicName, TopicName]
    """By the target's name: of which topic it is the copy."""
    suspend_retention: bool
    theirs: Mapping[TopicName, Topic]
    brokers: Mapping[BrokerId, Broker]
    view: View

    async def items(self, pairs: list[TopicPair], untold: Mapping[TopicName, Gap]) -> list[Item]:
        decided: dict[TopicName, Item] = {}
        new: list[TopicPair] = []
        existing: list[TopicPair] = []
        for pair in pairs:
            there = self.theirs.get(pair.target)
            if (item := self._refused(pair, there)) is not None:
                decided[pair.target] = item
            elif there is not None and not there.error_code:
                existing.append(pair)
            elif pair.source.name in untold and not self.wishes.configs_for(pair.source.name):
                gap = untold[pair.source.name]
                decided[pair.target] = not_told(pair.target, gap, "source")
            else:
                new.append(pair)
        terms = await take_terms(self.target, [one.target for one in new])
        found = await effective_configs(self.source, (one.source.name for one in pairs))
        ours = {name: _told(configs) for name, configs in found.items()}
        return [
            *decided.values(),
            *await self._new(new, ours, terms),
            *await self._existing(existing, ours, terms),
        ]

    def _refused(self, pair: TopicPair, there: Topic | None) -> Item | None:
        """What can be told by the names and ids alone."""
        code = 0 if there is None else there.error_code
        if code in DENIED:
            return hidden_there(pair.target, self.view)
        kept = self.kept.get(pair.source.name)
        if kept is None:
            other = self.taken.get(pair.target)
            return None if other is None else taken(pair.target, other)
        if _another(kept.source_id, pair.source.id):
            return remade(pair.target, "source", kept.source_id, pair.source.id)
        if there is None or code:
            return lost(pair.target) if kept.seen and kept.copied else None
        id_ = None if there.id is None else str(there.id)
        if _another(kept.target_id, id_):
            return remade(pair.target, "target", kept.target_id, id_)
        return None

    async def _new(
        self,
        pairs: list[TopicPair],
        ours: Mapping[TopicName, Configs | None],
        terms: TargetTerms,
    ) -> list[Item]:
        wished = [
            TopicPair(source=as_wished(one.source, self.wishes), target=one.target) for one in pairs
        ]
        remarks = {
            one.target: unseen(before.source, one.source)
            for before, one in zip(pairs, wished, strict=True)
        }
        rack = the_only_rack(self.brokers)
        return [
            item_of_new(
                one,
                self.view,
                clamp=self.wishes.clamp,
                remarks=(
                    *remarks[one.topic.target],
                    *(
                        (f"all replicas will be in rack {rack}: the target has no other",)
                        if rack is not None and one.topic.replication > 1
                        else ()
                    ),
                ),
            )
            for one in await look_at_new(self.target, wished, ours, terms=terms, wishes=self.wishes)
        ]

    async def _existing(
        self,
        pairs: list[TopicPair],
        ours: Mapping[TopicName, Configs | None],
        terms: TargetTerms,
    ) -> list[Item]:
        found = await effective_configs(self.target, (one.target for one in pairs))
        foreign = [one for one in pairs if one.source.name not in self.kept]
        hazards: dict[TopicName, list[Hazard]] = {}
        for hazard in await find_hazards(
            self.source, self.target, foreign, suspend_retention=self.suspend_retention
        ):
            hazards.setdefault(hazard.topic, []).append(hazard)
        items = []
        for pair in pairs:
            configs = found[pair.target]
            if isinstance(configs, WireError):
                gap = self.view.gap(CONFIGS, configs)
                items.append(not_told(pair.target, gap, "target"))
                continue
            own_hazards = tuple(hazards.get(pair.target, ()))
            items.append(
                item_of_existing(
                    self._compared(pair, configs, ours[pair.source.name], terms, own_hazards)
                )
            )
        return items

    def _compared(
        self,
        pair: TopicPair,
        theirs: Configs,
        ours: Configs | None,
        terms: TargetTerms,
        hazards: tuple[Hazard, ...],
    ) -> Existing:
        there = self.theirs[pair.target]
        kept = self.kept.get(pair.source.name)
        source = as_wished(pair.source, self.wishes)
        racks = in_one_rack(there, self.brokers)
        return Existing(
            pair=pair,
            kept=kept,
            difference=difference(
                source,
                there,
                theirs=theirs,
                own=as_it_will_be(theirs, {} if kept is None else kept.finish),
                ours=ours,
                terms=terms,
                replication=self.wishes.replication,
            ),
            may_change=self.wishes.may_change(pair.source.name),
            hazards=hazards,
            remarks=() if racks is None else (racks,),
            told=source.set_configs is not None,
        )


def _told(configs: Configs | WireError) -> Configs | None:
    return None if isinstance(configs, WireError) else configs


def _another(was: str | None, is_: str | None) -> bool:
    """Whether two topic ids are known and differ; brokers before 2.8 give none."""
    return is_ is not None and was not in {None, "none", is_}
