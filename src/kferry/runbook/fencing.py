"""The fence in a runbook: its steps, where they come, and what its gates say.

Owns the words. What is forbidden to whom is decided in `migration`.
"""

from collections.abc import Sequence
from dataclasses import replace

from kferry.migration.switching.fence import Held, Whom
from kferry.migration.switching.fence_book import read_wish, told
from kferry.migration.switching.silence import Silence
from kferry.runbook.back import WAY_BACK
from kferry.runbook.operations import Reading
from kferry.runbook.readings import silence
from kferry.runbook.record import Record
from kferry.runbook.schemes import SCHEMES
from kferry.runbook.steps import Scheme, Step
from kferry.units import many, some

SEEN = (
    "what their clients see: TopicAuthorizationException, which most producers take for fatal. "
    "Records that were in their buffers are not on the source; they are theirs to keep and to "
    "send again. kferry rollback takes the fence away, and so does kferry complete"
)
_NO_AUTHORIZER = "the source has no authorizer: measured silence is all the fence there is"

_FENCE = Step(
    name="fence",
    says="forbid writing to these topics on the source, to each who may, but never to kferry",
    hurried=True,
    lasting=True,
    act=lambda do: do.fence(),
    gate=lambda do: do.fenced(),
    undo=lambda do: do.lift_fence(),
)
_LIFT = Step(
    name="lift-fence",
    says="take away the rules that keep producers from the source",
    hurried=True,
    act=lambda do: do.lift_fence(),
    gate=lambda do: do.fence_lifted(),
    undo=lambda do: do.fence(),
)


def can_be_fenced(scheme: Scheme) -> bool:
    """Whether a scheme has a time when nobody is to write to the source, and nothing left to do."""
    names = [step.name for step in scheme.steps]
    return "silence" in names and "tail" in names


def scheme_of(record: Record) -> Scheme:
    """Return the scheme that a record is about, with the steps that its wishes add."""
    scheme = WAY_BACK if record.scheme == WAY_BACK.name else SCHEMES[record.scheme]
    if read_wish(record.facts) is None:
        return scheme
    if scheme is WAY_BACK:
        return _with(scheme, _LIFT, before="hand-over")
    return _with(scheme, replace(_FENCE, copying=scheme.step("silence").copying), behind="silence")


def _with(scheme: Scheme, step: Step, *, before: str = "", behind: str = "") -> Scheme:
    names = [one.name for one in scheme.steps]
    at = names.index(before) if before else names.index(behind) + 1
    return replace(scheme, steps=(*scheme.steps[:at], step, *scheme.steps[at:]))


def feasible(whom: Whom) -> Reading:
    """Say who would be shut out, or why nobody can be."""
    if not whom.authorizer:
        return Reading(gate="fence", passed=True, measured=_NO_AUTHORIZER)
    if whom.refusal:
        return Reading(
            gate="fence", passed=False, final=True, measured="it cannot be put up", why=whom.refusal
        )
    return Reading(
        gate="fence",
        passed=True,
        measured=f"to be shut out: {shut_out(whom)}",
        why="; ".join(whom.remarks),
    )


def shut_out(whom: Whom) -> str:
    """Say who is meant."""
    if not whom.shut_out:
        return "nobody; by the rules only super users may write to these topics"
    names = some(told(whom.shut_out), 10)
    return f"{many(len(whom.shut_out), 'principal')}: {names}"


def announced(whom: Whom) -> list[str]:
    """Say what comes, before it is done."""
    if not whom.authorizer:
        return [_NO_AUTHORIZER]
    return [f"shut out: {shut_out(whom)}", *whom.remarks, SEEN]


def fenced(whom: Whom, held: Held | None, found: Silence, seconds: float) -> list[Reading]:
    """Say whether everybody is kept out, and whether the logs stand still, in fact."""
    # Who was asked whether all producers are stopped is not asked again.
    quiet = [one for one in silence(found, seconds) if not one.unsure]
    if held is None:
        return [feasible(whom), *quiet]
    pairs = sum(map(len, whom.shut_out.values()))
    shut = bool(held.lacking or held.own_lost or whom.refusal)
    why = [*held.lacking[:5], *whom.remarks]
    if held.own_lost:
        why.insert(0, "kferry is shut out itself: one of these principals is its own")
    return [
        Reading(
            gate="fence",
            passed=not shut,
            final=held.own_lost or bool(whom.refusal),
            measured=f"{many(len(whom.shut_out), 'principal')} shut out, {many(pairs, 'rule')}, "
            f"known to {many(held.brokers, 'broker')}",
            why=whom.refusal or "; ".join(why),
        ),
        *quiet,
    ]


def lifted(*, left: bool) -> Reading:
    """Say whether the fence is gone."""
    return Reading(
        gate="fence lifted",
        passed=not left,
        measured="rules are left" if left else "nothing of it is left",
    )


def despite_open(readings: Sequence[Reading], ids: Sequence[str]) -> list[Reading]:
    """Let open transactions pass because somebody said so: no new one can begin behind a fence."""
    return [
        replace(
            one,
            passed=True,
            measured=f"{one.measured}; fenced anyway, and waited for behind the fence",
            why=f"open: {some(ids, 10)}" if ids else one.why,
        )
        if one.gate == "transactions" and not one.passed
        else one
        for one in readings
    ]
