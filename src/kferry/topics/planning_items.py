"""From what is known of a topic to what is said of it, and what is done.

Owns the decision and its words, and the layout of a topic item's work. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kferry.admin.operations import Operation, Resource, grant
from kferry.admin.view import DENIED, Gap, View
from kferry.names import TopicName
from kferry.plans import Action, Item
from kferry.topics.creation import BROKER_DEFAULT, TargetTopic
from kferry.topics.during_copy import DURING_COPY
from kferry.topics.hazard_case import Hazard
from kferry.topics.pairing import TopicPair
from kferry.topics.planning_diff import Difference
from kferry.topics.planning_new import Candidate

TOPIC = "topic"
_CHANGE_IT = "`topics.change` in kferry.yaml lets `kferry apply` change it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a migration remembers of a topic that it holds."""

    target: TopicName
    source_id: str | None
    target_id: str | None
    created: bool
    finish: Mapping[str, str | None]
    """What is still to be set when the copy is complete."""
    copied: bool
    """Whether records were copied; also where that is not known."""

    @property
    def seen(self) -> bool:
        """Whether it was on the target once."""
        return self.target_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """A topic that is on the target, next to the source's."""

    pair: TopicPair
    kept: Kept | None
    difference: Difference
    may_change: bool
    hazards: tuple[Hazard, ...] = ()
    remarks: tuple[str, ...] = ()
    told: bool = True
    """Whether the source tells its configs."""


def item_of_new(one: Candidate, view: View, *, clamp: bool, remarks: tuple[str, ...]) -> Item:
    """A topic that the target does not have."""
    topic = one.topic
    details = (*_arrows(topic.notes), *remarks)
    refusal = one.refusal
    if refusal is not None and refusal.error_code in DENIED:
        right = grant(view.principal, Operation.CREATE, Resource.TOPIC, topic.target)
        details = (*details, f"{view.principal} lacks Create on it: {right}")
    elif refusal is not None:
        reason = f"the target refuses it: {refusal.detail or refusal.name}"
        hint = "`--clamp` brings numbers to the nearest that it allows; `--exclude-config` and "
        hint += "`topics.configs` in kferry.yaml leave out or give others"
        return _item(Action.CONFLICT, topic.target, reason, (*details, hint))
    if one.out_of_range and not clamp:
        return _item(
            Action.CONFLICT,
            topic.target,
            f"not allowed on the target: {'; '.join(one.out_of_range)}",
            ("`--clamp` takes the nearest that is allowed",),
        )
    clamped = tuple(line for line in one.out_of_range if not _is_noted(line, details))
    return _item(
        Action.CREATE, topic.target, _summary(topic), (*clamped, *details), work=created(topic)
    )


def created(topic: TargetTopic) -> dict[str, Any]:
    """Lay out what creates a topic."""
    return {
        "do": "create",
        "source": topic.source,
        "partitions": topic.partitions,
        "replication": topic.replication,
        "configs": dict(topic.configs),
        "finish": dict(topic.finished),
    }


def item_of_existing(one: Existing) -> Item:
    """A topic that is there."""
    missing = one.difference.missing_partitions
    ours = one.kept is not None and one.kept.created
    grows = missing > 0 and (ours or one.may_change)
    changes = one.difference.to_set if one.may_change else {}
    hazards = tuple(f"{it.message}{f' ({it.hint})' if it.hint else ''}" for it in one.hazards)
    details = (*_left(one, changes), *hazards, *one.remarks)
    if missing and not grows:
        there, source = one.difference.partitions
        return _item(
            Action.CONFLICT,
            one.pair.target,
            f"the target has {_partitions(there)}, the source has {source:,}",
            (f"records would move to other partitions; {_CHANGE_IT}", *details),
        )
    if grows or changes:
        return _item(
            Action.CHANGE,
            one.pair.target,
            _change(one, grows=grows, changes=changes),
            details,
            work=_changed(one, grows=grows, changes=changes),
        )
    forbidding = [it.message for it in one.hazards if it.forbids]
    if forbidding:
        return _item(Action.CONFLICT, one.pair.target, "not safe to copy into", details)
    return _item(Action.SAME, one.pair.target, _same(one), details)


def _changed(one: Existing, *, grows: bool, changes: Mapping[str, str]) -> dict[str, Any]:
    finish = {} if one.kept is None else one.kept.finish
    # What is suspended just now gets its value when the copy is complete.
    later = {
        name: value
        for name, value in changes.items()
        if name in finish or (finish and name in DURING_COPY)
    }
    return {
        "do": "change",
        "source": one.pair.source.name,
        "partitions": one.difference.partitions[1] if grows else None,
        "configs": {name: value for name, value in changes.items() if name not in later},
        "finish": later,
        "before": {
            "partitions": one.difference.partitions[0],
            "configs": {it.name: it.there for it in one.difference.settings if it.name in changes},
        },
    }


def _change(one: Existing, *, grows: bool, changes: Mapping[str, str]) -> str:
    there, source = one.difference.partitions
    parts = [f"partitions: {there:,} → {source:,}"] if grows else []
    parts += [str(it) for it in one.difference.settings if it.name in changes]
    return "; ".join(parts)


def _left(one: Existing, changes: Mapping[str, str]) -> tuple[str, ...]:
    """Say what differs and stays as it is."""
    there, source = one.difference.partitions
    copies, wanted = one.difference.replication
    lines = [] if one.told else ["settings were not compared: the source does not tell its own"]
    if there > source and one.kept is not None:  # of foreign topics a hazard says it
        lines.append(f"{_partitions(there)}, the source has {source:,}: the others stay empty")
    if wanted is not None and copies != wanted:
        lines.append(f"replication {copies}, the source's would be {wanted}")
    lines += [it.left for it in one.difference.settings if it.name not in changes]
    if one.difference.to_set and not one.may_change:
        lines.append(_CHANGE_IT)
    return tuple(lines)


def _same(one: Existing) -> str:
    parts = [_partitions(one.difference.partitions[0])]
    if count := len(one.difference.settings):
        parts.append(f"{count} setting{'s' * (count > 1)} differ{'s' * (count == 1)} and will stay")
    if one.kept is not None and one.kept.finish:
        parts.append("retention is suspended until `kferry complete`")
    return ", ".join(parts)


def hidden_there(target: TopicName, view: View) -> Item:
    """A topic of which the target does not say whether it is there."""
    return _item(
        Action.CONFLICT,
        target,
        f"whether it is on the target cannot be seen: {view.principal} lacks Describe on it",
        (grant(view.principal, Operation.DESCRIBE, Resource.TOPIC, target),),
    )


def not_told(target: TopicName, gap: Gap, where: str) -> Item:
    """A topic of which one side does not tell enough to decide."""
    return _item(
        Action.CONFLICT,
        target,
        f"it cannot be seen on the {where}: {gap.reason}"
        if gap.subject == "topics"
        else f"its settings cannot be seen on the {where}: {gap.reason}",
        (gap.hint.replace("'*'", f"'{target}'"),) if gap.hint else (),
    )


def remade(target: TopicName, side: str, was: str | None, is_: str | None) -> Item:
    """A topic that is not the one the migration began with."""
    return _item(
        Action.CONFLICT,
        target,
        f"it was deleted and made anew on the {side} since the migration began",
        (
            f"its topic id was {was}, and is {is_}",
            "copy the new one as another migration (-m NAME), or under another name (--map)",
        ),
    )


def taken(target: TopicName, other: TopicName) -> Item:
    """A name under which another topic is copied already."""
    return _item(
        Action.CONFLICT,
        target,
        f"it is the copy of {other} already",
        ("give the other one another name: `--map OLD=NEW`, or `topics.rename` in kferry.yaml",),
    )


def lost(target: TopicName) -> Item:
    """A topic that records were copied to and that is gone."""
    return _item(
        Action.CONFLICT,
        target,
        "records were copied to it, and it is not on the target any more",
        ("another migration (-m NAME) begins anew; this one takes the records for copied",),
    )


def _item(
    action: Action,
    target: TopicName,
    reason: str,
    details: tuple[str, ...] = (),
    *,
    work: Mapping[str, Any] | None = None,
) -> Item:
    return Item(
        action=action,
        kind=TOPIC,
        name=target,
        reason=reason,
        details=tuple(dict.fromkeys(line for line in details if line)),
        work=work,
    )


def _summary(topic: TargetTopic) -> str:
    replication = (
        "the target's default replication"
        if topic.replication == BROKER_DEFAULT
        else f"replication {topic.replication}"
    )
    policy = {**topic.configs, **topic.finished}.get("cleanup.policy")
    parts = [_partitions(topic.partitions), replication, *([policy] if policy else [])]
    if topic.source != topic.target:
        parts.append(f"for {topic.source}")
    return ", ".join(parts)


def _partitions(count: int) -> str:
    return f"{count:,} partition{'s' * (count != 1)}"


def _arrows(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Write what becomes of a value as everything else in a plan."""
    return tuple(note.replace(" becomes ", " → ", 1) for note in notes)


def _is_noted(line: str, details: tuple[str, ...]) -> bool:
    name, _, _ = line.partition(":")
    return any(detail.startswith(f"{name}=") for detail in details)
