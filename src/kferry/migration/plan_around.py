"""What a plan says beside its topics: the applications that own some, and how much there is.

Owns the questions to the source that are about neither one topic nor access. None of them keeps a
plan from being made.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from kferry.access import take_quotas
from kferry.access.names import takes_everything
from kferry.admin.groups import list_groups
from kferry.config import TopicSelection
from kferry.migration.sizing import size_up
from kferry.migration.sizing_facts import take_loads, take_room
from kferry.migration.switching.way_back import look_at_return
from kferry.names import TopicName
from kferry.plans import Action, Item
from kferry.topics import TopicFacts, take_topics
from kferry.topics.applications import application_items, applications
from kferry.units import some
from kferry.wire import Cluster


async def plan_applications(
    source: Cluster, topics: Sequence[TopicFacts], selection: TopicSelection
) -> list[Item]:
    """Recognise applications among all topics; only of a choice that is none, name every one."""
    whole = selection == TopicSelection()
    everything = (
        topics if whole else (await take_topics(source, TopicSelection(), rate_seconds=0)).topics
    )
    groups = [
        group.id
        for found in (await list_groups(source)).values()
        if isinstance(found, list)
        for group in found
    ]
    known = {one.name: one for one in (*everything, *topics)}
    items = application_items(applications(known.values(), groups), {one.name for one in topics})
    return [
        item
        for item in items
        if item.action is not Action.LEFT_BEHIND or takes_everything(selection)
    ]


async def return_notes(source: Cluster, topics: Sequence[TopicFacts]) -> list[str]:
    """Say where a cutover could not be taken back behind its hand-over, because of age."""
    found = await look_at_return(source, [one.name for one in topics])
    if not found.brokers:
        why = f"the source's Kafka {found.release} knows no idempotent producers (0.11)"
    elif found.old_formats:
        named = some(f"{name} ({value})" for name, value in sorted(found.old_formats.items()))
        why = f"these store records in a format from before 0.11: {named}"
    else:
        return []
    without = "kferry cutover --no-way-back goes without"
    return [f"no way back behind the hand-over of a cutover: {why}; {without}"]


async def take_size(
    source: Cluster,
    target: Cluster,
    topics: Sequence[TopicFacts],
    *,
    planned: Collection[Item],
    names: dict[TopicName, TopicName],
    rate: float | None,
) -> dict[str, Any]:
    """Tell how much there is to copy, and what that meets; topics that wait are left out."""
    replicas = {
        item.name: item.work["replication"]
        for item in planned
        if item.work is not None and item.work.get("replication", -1) > 0
    }
    waiting = {item.name for item in planned if item.action is Action.CONFLICT}
    copied = [one for one in topics if names.get(one.name, one.name) not in waiting]
    loads = await take_loads(
        source,
        copied,
        {name: replicas[called] for name, called in names.items() if called in replicas},
    )
    quotas = (await take_quotas(target)).quotas
    room = await take_room(target, quotas=quotas, client_id=target.settings.client_id)
    sized = asdict(size_up(loads, room, rate=rate))
    sized["topics"] = {
        names.get(one.name, one.name): one.bytes for one in loads if one.bytes is not None
    }
    return sized
