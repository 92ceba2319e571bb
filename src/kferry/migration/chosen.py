"""Which topics a command is about, and what becomes of each.

Owns the sorting into known ones, ones to be made, and ones that are there already, with every
refusal that needs no write. Creates nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kferry.admin.offsets import Place, offsets_at
from kferry.config import TopicSelection
from kferry.errors import ExitCode, KferryError
from kferry.migration.book import TopicEntry
from kferry.migration.strangers import made_by_others
from kferry.names import TopicName, TopicPartition
from kferry.topics import (
    Hazard,
    TopicFacts,
    TopicPair,
    Topics,
    find_hazards,
    pair_topics,
    refuse,
    take_topics,
)
from kferry.topics.names_near import no_such_topic
from kferry.wire import Cluster


class NoSuchTopic(KferryError):
    """A topic was named that is not there."""

    code = "K210"
    exit_code = ExitCode.USAGE


class NotEmpty(KferryError):
    """A target topic holds records that no copy of this migration has written."""

    code = "K211"
    exit_code = ExitCode.REFUSED


class NothingChosen(KferryError):
    """No topic was named and none is known."""

    code = "K212"
    exit_code = ExitCode.USAGE


class Remapped(KferryError):
    """A topic of the migration was given another name on the target."""

    code = "K214"
    exit_code = ExitCode.USAGE


class Remade(KferryError):
    """A topic is not the one that the copy began with."""

    code = "K213"
    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The topics of a command."""

    known: list[tuple[TopicFacts, TopicEntry]]
    missing: list[TopicPair]
    existing: list[TopicPair]
    hazards: list[Hazard]

    @property
    def topics(self) -> list[TopicFacts]:
        """All of them, as the source shows them."""
        return [
            *(facts for facts, _ in self.known),
            *(pair.source for pair in (*self.missing, *self.existing)),
        ]


async def look_at_source(
    source: Cluster, selection: TopicSelection, entries: Mapping[TopicName, TopicEntry]
) -> Topics:
    """Look at the selected topics; without a selection, at those that the migration holds."""
    if selection == TopicSelection():
        if not entries:
            raise NothingChosen(
                "no topic was chosen",
                hint="kferry copy --topic NAME (or a glob, or /regular expression/)",
            )
        selection = TopicSelection(exact=frozenset(entries))
    topics = await take_topics(source, selection, rate_seconds=0)
    names = {one.name for one in topics.topics}
    absent = sorted(selection.exact - names)
    if absent:
        everything = (await source.refresh(None)).topics
        # Not to be seen is not to be absent: which right is missing, the gaps say.
        hidden = [gap for gap in topics.gaps if set(gap.concerns) & set(absent)]
        raise NoSuchTopic(
            "; ".join(no_such_topic(name, list(everything)) for name in absent),
            "\n".join(f"{gap.subject}: {gap.reason}" for gap in hidden),
            hint="; ".join(
                dict.fromkeys(
                    [
                        *(gap.hint for gap in hidden if gap.hint),
                        "kferry inspect topics shows what there is",
                    ]
                )
            ),
        )
    unmatched = selection.unmatched(names)
    if unmatched and not names:
        raise NoSuchTopic(
            f"no topic of the source matches {', '.join(unmatched)}",
            hint="kferry inspect topics shows what there is",
        )
    return topics


async def choose(
    source: Cluster,
    target: Cluster,
    topics: Topics,
    entries: Mapping[TopicName, TopicEntry],
    *,
    mapping: Mapping[TopicName, TopicName],
    append: bool,
    suspend_retention: bool,
) -> Chosen:
    """Sort the topics, and refuse what must not be copied."""
    _insist_on_ids(topics, entries)
    there = (await target.refresh(None)).topics
    pairs = pair_topics(
        topics.topics,
        _names(topics, mapping, entries),
        existing=list(there),
    )
    _insist_on_one_source(pairs, entries)
    # A topic we made, or were making when we died, is ours; not so one that others made first.
    others = await made_by_others(
        target, (entries[one.source.name] for one in pairs if one.source.name in entries)
    )
    ours = entries.keys() - others
    known = [(pair.source, entries[pair.source.name]) for pair in pairs if pair.source.name in ours]
    new = [pair for pair in pairs if pair.source.name not in ours]
    existing = [pair for pair in new if pair.target in there and not there[pair.target].error_code]
    missing = [pair for pair in new if pair not in existing]
    hazards = await find_hazards(source, target, existing, suspend_retention=suspend_retention)
    refuse(hazards)
    if not append:
        await insist_on_empty(target, existing)
    return Chosen(known=known, missing=missing, existing=existing, hazards=hazards)


def _names(
    topics: Topics,
    mapping: Mapping[TopicName, TopicName],
    entries: Mapping[TopicName, TopicEntry],
) -> dict[str, str]:
    """Name each topic on the target: as it was named before, or as the mapping says."""
    names: dict[str, str] = {}
    for facts in topics.topics:
        name, entry = facts.name, entries.get(facts.name)
        wanted = mapping.get(name)
        if entry is not None and wanted is not None and entry.target != wanted:
            raise Remapped(
                f"{name} is being copied to {entry.target}, and cannot go to {wanted} as well",
                hint=f"leave the new name {wanted} out, or copy it as another migration (-m NAME)",
            )
        names[name] = entry.target if entry is not None else wanted or name
    return names


def _insist_on_ids(topics: Topics, entries: Mapping[TopicName, TopicEntry]) -> None:
    for facts in topics.topics:
        entry = entries.get(facts.name)
        if entry is None or entry.source_id is None or facts.id is None:
            continue
        if entry.source_id != facts.id:
            raise Remade(
                f"{facts.name} was deleted and made anew on the source",
                f"the copy began with topic id {entry.source_id}, now it is {facts.id}",
                hint="copy the new one as another migration (-m NAME) to another topic "
                f"(--map {facts.name}=…), or remove the old copy first",
            )


def _insist_on_one_source(pairs: list[TopicPair], entries: Mapping[TopicName, TopicEntry]) -> None:
    taken = {entry.target: name for name, entry in entries.items()}
    for pair in pairs:
        other = taken.get(pair.target, pair.source.name)
        if other != pair.source.name:
            raise NotEmpty(
                f"{pair.target} is already the copy of {other}",
                hint=f"give {pair.source.name} another name with --map",
            )


async def insist_on_empty(target: Cluster, pairs: Sequence[TopicPair]) -> None:
    """Refuse topics that hold records already."""
    metadata = await target.refresh({pair.target for pair in pairs})
    partitions = [
        TopicPartition(pair.target, partition.id)
        for pair in pairs
        for partition in metadata.topics[pair.target].partitions
    ]
    starts = await offsets_at(target, partitions, Place.START)
    ends = await offsets_at(target, partitions, Place.END)
    for partition in partitions:
        start, end = starts[partition], ends[partition]
        if end > start:
            raise NotEmpty(
                f"{partition.topic} on the target is not empty",
                f"partition {partition.partition} holds offsets {start:,} to "
                f"{end - 1:,}, and this migration did not write them",
                hint="--append writes behind them; or give the copy another name with --map; "
                "or delete the topic if it is the rest of a trial",
            )
