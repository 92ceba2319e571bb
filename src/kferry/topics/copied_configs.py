"""Which configs of a topic its counterpart gets, and what is said about the rest.

Owns what is taken over, translated, clamped and left out. Pure. Only what was set on the topic
itself is taken over: the defaults of the target's brokers are its operator's business, and where
they would treat the records otherwise than the source's do, a note says so.
"""

from collections.abc import Iterator, Mapping

from kferry.admin.configs import Configs, Origin
from kferry.topics.terms import AFTER_MAX, BEFORE_MAX, DIFFERENCE_MAX, TargetTerms

THROTTLES = frozenset(
    {"leader.replication.throttled.replicas", "follower.replication.throttled.replicas"}
)
"""They name broker ids of the source."""
MIN_IN_SYNC = "min.insync.replicas"
SEGMENT_BYTES = "segment.bytes"
_LEAST_SEGMENT = 1_048_576
_LEAST_SEGMENT_SINCE = (4, 0)  # KIP-1030
_FORMAT = "message.format.version"
_TIERED = ("remote.", "local.retention.")
_DECIDES_OVER_RECORDS = (
    "cleanup.policy",
    "message.timestamp.type",
    "retention.bytes",
    "retention.ms",
)


def copied_configs(
    own: Mapping[str, str | None], terms: TargetTerms, *, replication: int | None
) -> tuple[dict[str, str], list[str]]:
    """Return the counterpart's configs, and a note for each that is not what the source has.

    `own` was set on the source's topic; `replication` is None where it is not known yet.
    """
    configs: dict[str, str] = {}
    notes: list[str] = []
    for name, value in sorted(own.items()):
        if name in THROTTLES:
            continue
        if why := _left_out(name, value, terms):
            notes.append(f"{name}{'' if value is None else f'={value}'} is left out: {why}")
        elif name == DIFFERENCE_MAX and not terms.knows(name):
            configs |= {new: str(value) for new in (BEFORE_MAX, AFTER_MAX) if new not in own}
            notes.append(f"{name}={value} is called {BEFORE_MAX} and {AFTER_MAX} on the target")
        else:
            configs[name] = str(value)
    notes += _fit(configs, terms, replication)
    return configs, notes


def _left_out(name: str, value: str | None, terms: TargetTerms) -> str | None:
    if value is None:
        return "the source does not tell its value"
    if name.startswith(_TIERED):
        return "it belongs to tiered storage, which is the target's own business"
    if name == _FORMAT:
        return "records are copied in the present format"
    if terms.knows(name) or (name == DIFFERENCE_MAX and terms.knows(BEFORE_MAX)):
        return None
    return f"the target's Kafka {terms.release} does not know it"


def _fit(configs: dict[str, str], terms: TargetTerms, replication: int | None) -> Iterator[str]:
    """Change what the target would refuse, or what nobody could write under."""
    # The default counts, too: with fewer replicas than it asks for, nothing could be written.
    wanted = configs.get(MIN_IN_SYNC) or terms.default(MIN_IN_SYNC)
    if wanted is not None and replication is not None and int(wanted) > replication:
        yield _becomes(configs, MIN_IN_SYNC, wanted, replication, "there are no more replicas")
    segment = configs.get(SEGMENT_BYTES)
    least_segment = _LEAST_SEGMENT if terms.release_number >= _LEAST_SEGMENT_SINCE else 0
    if segment is not None and int(segment) < least_segment:
        why = f"less is refused by Kafka {terms.release}"
        yield _becomes(configs, SEGMENT_BYTES, segment, least_segment, why)


def _becomes(configs: dict[str, str], name: str, was: str, now: int, why: str) -> str:
    configs[name] = str(now)
    return f"{name}={was} becomes {now}: {why}"


def inherited_otherwise(source: Configs, terms: TargetTerms) -> list[str]:
    """Note where the brokers' defaults will treat the records otherwise than on the source."""
    notes = []
    for name in _DECIDES_OVER_RECORDS:
        one, default = source.get(name), terms.default(name)
        if one is None or default is None or one.origin in {Origin.TOPIC, Origin.UNKNOWN}:
            continue
        if one.value != default:
            notes.append(
                f"{name} is not set on the topic: the source's default is {one.value}, "
                f"the target's is {default}"
            )
    return notes
