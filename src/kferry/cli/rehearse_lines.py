"""What is said of a rehearsal, for people and for scripts.

Owns the words and the keys. Pure but for finding out which hooks there are.
"""

from typing import TYPE_CHECKING, Any

from kferry.cli.console import fitted
from kferry.cli.cutover_lines import gate_lines
from kferry.cli.tables import visible
from kferry.runbook.record import reading_json
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.switching.sample import Sample
    from kferry.runbook.dry import Planned
    from kferry.runbook.hooks import Hooks
    from kferry.runbook.interruption import Interruption
    from kferry.runbook.rehearsed import HookTried, Rehearsed, StepTried

_MOST_DIFFERENCES = 10


def asked_lines(planned: "Planned", hooks: "Hooks") -> list[str]:
    """Say what a rehearsal does, before it is agreed to."""
    names = {step.handover.hook for step in planned.scheme.steps if step.handover is not None}
    names |= {step.back.hook for step in planned.scheme.steps if step.back is not None}
    there = sorted(name.value for name in names if (hooks.folder / name.value).is_file())
    called = ", ".join(there) or "there are none in " + visible(str(hooks.folder))
    return [
        "",
        *fitted(
            "a rehearsal makes groups NAME.kferry-rehearsal on the target and deletes them at the "
            "end; the source, real groups and the ledger are only read"
        ),
        *fitted(f"hooks called with KFERRY_REHEARSAL=1: {called}"),
    ]


def tried_lines(one: "StepTried") -> list[str]:
    """Show what became of one step."""
    lines = [line for hook in one.hooks for line in _hook_lines(hook)]
    lines += gate_lines(one.readings)
    if not lines and not one.remark:
        return ["  nothing to try"]
    return lines + fitted(f"  {'; '.join(filter(None, (one.remark, f'{one.seconds:,.1f} s')))}")


def _hook_lines(one: "HookTried") -> list[str]:
    name = one.handover.hook.value
    if one.state == "done":
        return fitted(f"  ok {name}: {_seconds(one.seconds)}")
    if one.state == "person":
        return fitted(f"  ?? {name}: there is none; a person will be told: {one.handover.asks}")
    return fitted(f"  -- {name}: {one.why}")


def ended_lines(found: "Rehearsed") -> list[str]:
    """Say what a rehearsal found."""
    lines = [
        *fitted(
            f"rehearsed: {found.scheme}, {many(len(found.topics), 'topic')}, "
            f"{many(len(found.samples), 'group')} compared; both clusters are as they were"
        )
    ]
    if found.first_group:
        lines += fitted(
            "  but for __consumer_offsets, which the target's brokers make when positions are "
            "committed there for the first time"
        )
    for sample in found.samples:
        lines += _sample_lines(sample)
    lines += ["", "expected interruption"]
    for one in found.interruptions:
        lines += _interruption_lines(one)
    if "consumers" not in {one.who for one in found.interruptions}:
        lines.append("  consumers: none, they start on the target before they stop on the source")
    lines += fitted(
        "  on top comes what hooks take when they act, and applications to stop, to start and to "
        "join their groups"
    )
    if found.back:
        lines += ["", "if it were taken back"]
        lines += [line for hook in found.back for line in _back_lines(hook)]
    if found.findings:
        lines += ["", f"{many(len(found.findings), 'finding')}, to be mended before the cutover:"]
        lines += [line for one in found.findings for line in fitted(f"  {one}")]
    return lines


def _back_lines(one: "HookTried") -> list[str]:
    what = f"{one.handover.do} on the {one.handover.on}"
    if one.state == "done":
        return fitted(
            f"  ok {one.step}: {what}: {one.handover.hook.value}, {_seconds(one.seconds)}"
        )
    if one.state == "person":
        return fitted(f"  ?? {one.step}: {what}: a person will be told")
    return fitted(f"  -- {one.step}: {what}: {one.why}")


def _sample_lines(one: "Sample") -> list[str]:
    gone = one.tally.expired_source
    more = f", {gone:,} gone from the source since" if gone else ""
    sign = "ok" if one.same else "--"
    lines = fitted(
        f"  {sign} {visible(one.group)}: next {many(one.tally.same, 'record')} the same{more}"
    )
    for apart in one.apart[:_MOST_DIFFERENCES]:
        lines += fitted(f"     {visible(str(apart.partition))}: {visible(str(apart.difference))}")
    for why in one.troubles:
        lines += fitted(f"     {visible(why)}")
    return lines


def _interruption_lines(one: "Interruption") -> list[str]:
    steps = one.first if one.first == one.last else f"from {one.first} to {one.last}"
    more = f", and {many(len(one.untold), 'part')} without a number" if one.untold else ""
    lines = fitted(f"  {one.who}, {steps}: about {one.seconds:,.1f} s{more}")
    for piece in one.pieces:
        number = "?" if piece.seconds is None else f"{piece.seconds:,.1f} s"
        lines += fitted(f"    {number:>9}  {piece.step}: {piece.what}")
    return lines


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:,.1f} s"


def tried_json(one: "StepTried") -> dict[str, Any]:
    """Write one step down for scripts."""
    return {
        "step": one.step.name,
        "seconds": round(one.seconds, 3),
        "gates": [reading_json(reading) | {"unsure": reading.unsure} for reading in one.readings],
        "hooks": list(map(_hook_json, one.hooks)),
        "remark": one.remark,
    }


def rehearsal_json(found: "Rehearsed") -> dict[str, Any]:
    """Write it all down for scripts."""
    return {
        "ok": not found.exit_code,
        "migration": found.migration,
        "scheme": found.scheme,
        "topics": list(found.topics),
        "steps": list(map(tried_json, found.steps)),
        "back": list(map(_hook_json, found.back)),
        "groups": list(map(_sample_json, found.samples)),
        "interruption": list(map(_interruption_json, found.interruptions)),
        "findings": found.findings,
    }


def _hook_json(one: "HookTried") -> dict[str, Any]:
    return {
        "step": one.step,
        "hook": one.handover.hook.value,
        "do": one.handover.do,
        "on": one.handover.on,
        "state": one.state,
        "seconds": None if one.seconds is None else round(one.seconds, 3),
        "why": one.why,
    }


def _sample_json(one: "Sample") -> dict[str, Any]:
    return {
        "group": one.group,
        "positions": one.positions,
        "same": one.tally.same,
        "differ": one.tally.differ,
        "only_source": one.tally.only_source,
        "only_target": one.tally.only_target,
        "expired_source": one.tally.expired_source,
        "differences": [
            {
                "topic": apart.partition.topic,
                "partition": apart.partition.partition,
                "source_offset": apart.difference.source_offset,
                "target_offset": apart.difference.target_offset,
                "what": apart.difference.what,
            }
            for apart in one.apart
        ],
        "troubles": list(one.troubles),
    }


def _interruption_json(one: "Interruption") -> dict[str, Any]:
    return {
        "who": one.who,
        "from": one.first,
        "to": one.last,
        "seconds": round(one.seconds, 3),
        "pieces": [
            {
                "step": piece.step,
                "what": piece.what,
                "seconds": None if piece.seconds is None else round(piece.seconds, 3),
            }
            for piece in one.pieces
        ],
    }
