"""Broker settings that a migration runs into: sizes, timestamps, time limits, surprises.

Owns which settings matter and how each is judged. Pure.
"""

from collections.abc import Callable

from kferry.preflight.cluster_facts import Facts
from kferry.preflight.findings import Finding, Severity, Side, note, reason, warning
from kferry.units import binary_size
from kferry.wire import WireError

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_NO_LIMIT = 2**63 - 1

Get = Callable[[str], str | None]


def judge_limits(source: Facts, target: Facts) -> list[Finding]:
    """Judge the target's settings, against the source's where both count."""
    theirs = _reader(target)
    if theirs is None:
        return [_unknown(Side.TARGET, target)]
    ours = _reader(source)
    findings = [
        *_message_bytes(ours, theirs),
        *_timestamps(theirs),
        *_retained_positions(theirs),
        *_producer_state(theirs),
        *_surprises(theirs),
        *_in_sync(theirs, source, brokers=len(target.metadata.brokers)),
    ]
    if ours is None:
        findings.append(_unknown(Side.SOURCE, source))
    return findings


def _reader(facts: Facts) -> Get | None:
    """Read a setting as the first broker has it that could be asked."""
    answers = (configs for configs in facts.configs.values() if not isinstance(configs, WireError))
    first = next(answers, None)
    if first is None:
        return None

    def get(key: str) -> str | None:
        entry = first.get(key)
        return None if entry is None else entry.value

    return get


def _unknown(side: Side, facts: Facts) -> Finding:
    errors = (one for one in facts.configs.values() if isinstance(one, WireError))
    why = next(map(reason, errors), "no broker answered")
    return Finding(
        side=side,
        subject="broker settings",
        severity=Severity.INFO if side is Side.SOURCE else Severity.WARNING,
        code="settings-unknown",
        message=f"cannot be asked: {why}",
        hint="brokers before 0.11 do not tell their settings; later ones want DescribeConfigs on "
        "the cluster",
    )


def _message_bytes(ours: Get | None, theirs: Get) -> list[Finding]:
    source, target = _number(ours, "message.max.bytes"), _number(theirs, "message.max.bytes")
    if source is None or target is None:
        return []
    fits = target >= source
    return [
        Finding(
            side=Side.TARGET,
            subject="message.max.bytes",
            severity=Severity.OK if fits else Severity.WARNING,
            code="message-bytes" if fits else "message-bytes-smaller",
            message=f"{binary_size(target)} (the source allows {binary_size(source)})",
            hint=""
            if fits
            else "set max.message.bytes on the target's topics, or raise the broker's; a batch "
            "that is too large can be split, a single record cannot",
        )
    ]


def _timestamps(theirs: Get) -> list[Finding]:
    findings: list[Finding] = []
    # The second is what targets before 3.6 have, for both directions.
    keys = ("log.message.timestamp.before.max.ms", "log.message.timestamp.difference.max.ms")
    limits = {key: limit for key in keys if (limit := _number(theirs, key)) is not None}
    key = min(limits, key=limits.__getitem__, default=keys[0])
    before = limits.get(key, _NO_LIMIT)
    if before < _NO_LIMIT:
        findings.append(
            warning(
                Side.TARGET,
                key,
                code="old-records-refused",
                message=f"records older than {_duration(before)} are refused",
                hint=f"set {key.removeprefix('log.')} on the topics for the time of the copy",
            )
        )
    after = _number(theirs, "log.message.timestamp.after.max.ms")
    if after is not None and after < _NO_LIMIT:
        findings.append(
            note(
                Side.TARGET,
                "log.message.timestamp.after.max.ms",
                code="future-records-refused",
                message=f"records more than {_duration(after)} ahead of the broker are refused "
                "(the default since 4.0 is an hour)",
                hint="raise message.timestamp.after.max.ms on topics whose producers date ahead",
            )
        )
    if theirs("log.message.timestamp.type") == "LogAppendTime":
        findings.append(
            warning(
                Side.TARGET,
                "log.message.timestamp.type",
                code="timestamps-replaced",
                message="LogAppendTime: records would get the time of the copy",
                hint="set message.timestamp.type=CreateTime on the target's topics",
            )
        )
    return findings


def _retained_positions(theirs: Get) -> list[Finding]:
    minutes = _number(theirs, "offsets.retention.minutes")
    if minutes is None:
        return []
    short = minutes * 60_000 < _DAY_MS
    return [
        Finding(
            side=Side.TARGET,
            subject="offsets.retention.minutes",
            severity=Severity.WARNING if short else Severity.OK,
            code="positions-expire-soon" if short else "positions-kept",
            message=f"positions of a group that has not started are kept for "
            f"{_duration(minutes * 60_000)}",
            hint="raise it, or move the groups right before they start" if short else "",
        )
    ]


def _producer_state(theirs: Get) -> list[Finding]:
    expiry = _number(theirs, "producer.id.expiration.ms")
    if expiry is None:
        return []
    return [
        note(
            Side.TARGET,
            "producer.id.expiration.ms",
            code="producer-expiry",
            message=f"records older than {_duration(expiry)} are copied with one batch in flight "
            "per partition: the broker forgets their producer",
            hint="raising it for the time of the copy helps records up to 24.8 days old",
        )
    ]


def _surprises(theirs: Get) -> list[Finding]:
    findings: list[Finding] = []
    if theirs("auto.create.topics.enable") == "true":
        findings.append(
            warning(
                Side.TARGET,
                "auto.create.topics.enable",
                code="auto-create",
                message="an application that starts too early creates topics with the default "
                "number of partitions",
                hint="create the topics before any application knows the target, or switch it off",
            )
        )
    codec = theirs("compression.type")
    if codec not in {None, "producer"}:
        findings.append(
            warning(
                Side.TARGET,
                "compression.type",
                code="recompresses",
                message=f"the broker recompresses everything to {codec}",
                hint="set compression.type=producer on the topics, or pay in CPU on the target",
            )
        )
    return findings


def _in_sync(theirs: Get, source: Facts, *, brokers: int) -> list[Finding]:
    """Compare with the replicas that topics will have. (4.3 does not insist; older ones refuse.)"""
    wanted = _number(theirs, "min.insync.replicas")
    replicas = [
        min(len(partition.replicas), brokers)
        for topic in source.selected.values()
        for partition in topic.partitions
    ]
    fewest = min(replicas, default=brokers)
    if wanted is None or wanted <= fewest:
        return []
    return [
        warning(
            Side.TARGET,
            "min.insync.replicas",
            code="never-in-sync",
            message=f"{wanted} replicas must confirm a write, and topics will have {fewest}",
            hint="set min.insync.replicas on those topics, or give them more replicas",
        )
    ]


def _number(get: Get | None, key: str) -> int | None:
    text = None if get is None else get(key)
    return int(text) if text is not None and text.lstrip("-").isdigit() else None


def _duration(milliseconds: int) -> str:
    if milliseconds >= 2 * _DAY_MS or milliseconds == _DAY_MS:
        days = milliseconds / _DAY_MS
        return f"{days:,.4g} days" if days != 1 else "a day"
    if milliseconds >= _HOUR_MS:
        hours = milliseconds / _HOUR_MS
        return f"{hours:.3g} hours" if hours != 1 else "an hour"
    return f"{milliseconds / 1000:,.4g} s"
