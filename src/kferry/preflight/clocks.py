"""Do the clocks agree? Timestamps are compared with them: limits, retention, time look-ups.

Owns the judgement of each cluster's clock against this machine's. Pure.
"""

from kferry.preflight.cluster_facts import Facts
from kferry.preflight.findings import Finding, Severity, Side, note, reason
from kferry.wire import WireError

_TOLERATED = 5.0


def judge_clock(side: Side, facts: Facts) -> Finding:
    """Judge one side's clock."""
    clock = facts.clock
    if clock is None or isinstance(clock, WireError):
        untold = "brokers before 3.3 and ZooKeeper clusters do not tell the time"
        return note(
            side,
            "clock",
            code="clock-unknown",
            message=untold if clock is None else f"cannot be asked: {reason(clock)}",
            hint="compare `date` on a broker with this machine's",
        )
    skew = abs(clock.ahead)
    agrees = skew <= _TOLERATED + clock.uncertainty
    direction = "ahead of" if clock.ahead > 0 else "behind"
    return Finding(
        side=side,
        subject="clock",
        severity=Severity.OK if agrees else Severity.WARNING,
        code="clock" if agrees else "clock-skew",
        message="within a second of this machine's"
        if skew < 1
        else f"{skew:,.0f} s {direction} this machine's",
        hint="" if agrees else "synchronise the clocks (NTP); timestamps and retention rely on it",
    )
