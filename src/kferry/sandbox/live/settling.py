"""Waiting until clients do what they were told: work, pause, be gone.

Owns the conditions, the deadline, and what is said when they are not met in time. Whom it is asked
about, and what they are told, is `live`'s.
"""

import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from kferry.sandbox.live.errors import LiveError
from kferry.sandbox.live.instance import Instance
from kferry.units import some

_TICK_S = 0.05
_PATIENCE_S = 60.0


def until_nothing(
    missing: Callable[[], str], wanted: Iterable[Instance], where: str, *, sandbox: str
) -> None:
    """Wait until `missing` has nothing to say any more."""
    deadline = time.monotonic() + _PATIENCE_S
    while what := missing():
        for one in wanted:
            if not one.running:
                raise LiveError(f"{one.client.name} ended {where}", one.last_words)
        if time.monotonic() > deadline:
            troubles = sorted({one.state.trouble for one in wanted} - {""})
            raise LiveError(
                f"after {_PATIENCE_S:.0f} s {where}: {what}",
                "; ".join(troubles),
                hint=f"kferry sandbox live status --name {sandbox}",
                changed="What was started runs on.",
            )
        time.sleep(_TICK_S)


def until_working(
    wanted: Sequence[Instance],
    side: str,
    partitions: Mapping[str, int],
    *,
    readers: Sequence[Instance],
    sandbox: str,
) -> None:
    """Wait until all who write have written, and the groups hold every partition on this side.

    `readers`: everybody on this side who reads; a group may hold some through others than `wanted`.
    """
    groups = {one.client.group: one.client for one in wanted if one.client.group}
    expected = {
        group: {f"{t}-{p}" for t in client.topics for p in range(partitions.get(t, 0))}
        for group, client in groups.items()
    }

    def held(group: str) -> set[str]:
        members = (one for one in readers if one.client.group == group and one.running)
        return {place for one in members for place in one.state.partitions}

    def missing() -> str:
        for one in wanted:
            state = one.state
            if one.client.role.writes and not state.records:
                return f"{one.client.name} has written nothing"
            if state.phase in {"starting", "joining"}:
                return f"{one.client.name} has not joined {one.client.group}"
        for group, places in expected.items():
            if left := places - held(group):
                return f"{group} does not hold {some(left)}"
        return ""

    until_nothing(missing, wanted, f"on the {side}", sandbox=sandbox)
    for one in wanted:
        if faults := one.state.faults:
            raise LiveError(
                f"{one.client.name} runs on the {side} and cannot work there",
                "; ".join(faults),
                hint=f"kferry sandbox live stop --consumers {one.client.group}, then "
                "kferry groups sync, or another --reset",
                changed="It runs all the same.",
            )


def stop(wanted: Iterable[Instance], *, sandbox: str) -> list[Instance]:
    """Stop whoever runs of these; return them when they are gone."""
    stopping = [one for one in wanted if one.running]
    for one in stopping:
        one.process.signal(signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE_S
    killed = []
    for one in stopping:
        if not one.process.wait(max(0.0, deadline - time.monotonic())):
            one.process.kill()
            killed.append(one.name)
    if killed:
        raise LiveError(
            f"{some(killed)} did not stop within {_PATIENCE_S:.0f} s",
            "what it had not finished is unknown",
            hint=f"kferry sandbox status --name {sandbox} tells whether brokers run",
            changed="It was killed; the others have stopped.",
        )
    return stopping
