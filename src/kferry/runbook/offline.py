"""A cutover taken back from its bundle, while the target does not answer.

Owns what can be done without the target: applications go back to the source. What can only be
undone on the target is listed; `rollback` does it once the target is back.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError
from kferry.migration.switching.fence import lift_fence
from kferry.migration.switching.fence_book import FENCE
from kferry.runbook.bundle import BadBundle, Bundle, read_bundle, write_bundle
from kferry.runbook.fencing import scheme_of
from kferry.runbook.opening import hook_facts
from kferry.runbook.operator import Operator
from kferry.runbook.runner import NoWayBack
from kferry.runbook.schemes import SCHEMES
from kferry.runbook.steps import Step
from kferry.units import many
from kferry.wire import ConnectionLost, RequestTimedOut, Unreachable, WireError, open_cluster


class OtherSource(KferryError):
    """The bundle is about another cluster than the one that answers."""

    code = "K260"
    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something that only the target can undo."""

    step: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfWay:
    """What was done, and what waits for the target."""

    bundle: Bundle
    done: tuple[str, ...]
    left: tuple[Left, ...]


async def is_down(target: ClusterSettings) -> bool:
    """Whether no broker of a cluster can be reached."""
    try:
        async with open_cluster(target):
            return False
    except (Unreachable, ConnectionLost, RequestTimedOut):
        return True


async def roll_back_without_target(
    path: Path,
    *,
    source: ClusterSettings,
    target: ClusterSettings,
    migration: str | None,
    operator: Operator,
) -> HalfWay:
    """Let applications go back to the source, the last step first."""
    bundle = read_bundle(path)
    _insist(path, bundle, migration)
    await _insist_on_source(bundle, source)
    scheme = scheme_of(bundle.record)
    begun = [
        one
        for one in scheme.steps
        if bundle.record.has_passed(one.name) or bundle.record.current == one.name
    ]
    operator.about(hook_facts(bundle.migration, bundle.record, source, target))
    done, left = [], []
    for number, step in enumerate(reversed(begun), start=1):
        operator.entering(step, number, len(begun))
        if step.name == "fence" and bundle.fence is not None:
            async with open_cluster(source) as cluster:
                rules = await lift_fence(cluster, {FENCE: bundle.fence}) or ()
            done.append(f"{step.name}: {many(len(rules), 'rule')} taken away again")
        if step.back is not None:
            await operator.hand(step.back, step)
            done.append(f"{step.name}: {step.back.asks}")
        left += _left(step, bundle)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    after = replace(bundle, taken_back=at)
    write_bundle(path, after)
    return HalfWay(bundle=after, done=tuple(done), left=tuple(left))


def _left(step: Step, bundle: Bundle) -> list[Left]:
    """Say what of a step waits for the target."""
    if step.name == "positions":
        return [
            Left(
                step=step.name,
                what=f"group {one.group}, {one.place}: "
                + ("delete its position" if one.offset is None else f"back to {one.offset:,}"),
            )
            for one in bundle.positions
        ]
    if step.name == "consumers-start":
        return [
            Left(
                step=step.name,
                what="how far consumers came on the target is not known without it: on the source "
                "they read again what they have read there",
            )
        ]
    if step.name == "look" and "way_back" in bundle.record.facts:
        return [Left(step=step.name, what="the ledger of the way back, on the source")]
    return []


def _insist(path: Path, bundle: Bundle, migration: str | None) -> None:
    if migration is not None and migration != bundle.migration:
        raise BadBundle(
            f"{path} is about {bundle.migration}, not {migration}",
            hint="name the bundle of this migration, or leave -m out",
        )
    record = bundle.record
    if record.scheme not in SCHEMES:
        raise BadBundle(
            f"{path} is about a scheme that is not known here: {record.scheme}",
            hint="use the version of kferry that wrote it",
        )
    if record.no_return:
        raise NoWayBack(
            "the point of no return is behind this cutover",
            "Producers may have written to the target what the source does not have; the target "
            "is needed to bring it back.",
            hint="kferry rollback, once the target is back",
        )
    if not record.open:
        raise BadBundle(
            f"{path} is about a cutover that has ended: {record.state}",
            hint="kferry status shows it once the target is back",
        )


async def _insist_on_source(bundle: Bundle, source: ClusterSettings) -> None:
    try:
        async with open_cluster(source) as cluster:
            found = cluster.metadata.cluster_id or "unknown"
    except WireError as error:
        raise KferryError(
            "neither the target nor the source answers",
            str(error),
            hint="applications have nowhere to go back to; try again when the source answers",
        ) from error
    if found != bundle.source:
        raise OtherSource(
            "the bundle is about another source",
            f"It was written for {bundle.source}, and {found} answers.",
            hint="name the source of that cutover",
        )
