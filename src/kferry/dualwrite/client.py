"""confluent-kafka, asked for when a producer is made and not before: `import kferry` needs none.

Owns the import and the settings that both producers get.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from kferry.dualwrite.errors import NOTHING_SENT, DualSettingsError, MissingClientError

Settings = dict[str, Any]
Callback = Callable[..., Any]

_FORWARDED = ("error_cb", "stats_cb", "throttle_cb")
"""Callbacks that the application expects in its own thread, from poll() and flush()."""
_TIMEOUTS = ("message.timeout.ms", "delivery.timeout.ms")
_MOST_MESSAGES = "queue.buffering.max.messages"
_MOST_KBYTES = "queue.buffering.max.kbytes"
_NO = {"false", "0", "no", "f", "n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much may wait: records, and bytes of them."""

    records: int
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Primary:
    """The primary's settings, without what is served on top of the producer."""

    settings: Settings
    on_delivery: Callback | None
    only_errors: bool
    room: Room


def load() -> ModuleType:
    """Return the package."""
    try:
        # An extra: asked for when it is needed. From where the package itself takes its parts: who
        # puts DualProducer in the place of confluent_kafka.Producer must not find it here.
        from confluent_kafka import cimpl  # noqa: PLC0415
    except ModuleNotFoundError:
        raise MissingClientError from None
    return cimpl


def primary(settings: Mapping[str, Any]) -> Primary:
    """Prepare the primary's settings."""
    own = _common("primary", settings)
    return Primary(
        on_delivery=own.pop("on_delivery", None),
        only_errors=_yes(own.pop("delivery.report.only.error", False)),
        room=Room(
            records=int(own.get(_MOST_MESSAGES, 100_000)),
            octets=int(own.get(_MOST_KBYTES, 1 << 20)) << 10,
        ),
        settings=own,
    )


def secondary(settings: Mapping[str, Any], room: Room, *, patient: bool) -> Settings:
    """Prepare the secondary's.

    `patient`: nothing times out in the client, since a record that timed out in flight makes
    librdkafka begin a new epoch, after which others may be sent twice. What waits is bounded by
    `room`, not by time.
    """
    own = _common("secondary", settings)
    own.pop("on_delivery", None)
    own.pop("delivery.report.only.error", None)
    own.setdefault(_MOST_MESSAGES, room.records)
    own.setdefault(_MOST_KBYTES, (room.octets >> 10) + 1024)
    if patient and not any(name in own for name in _TIMEOUTS):
        own["message.timeout.ms"] = 0
    return own


def forward(settings: Settings, to: Callable[[Callback, tuple[Any, ...]], None]) -> None:
    """Have what the application wants to hear in its own thread handed to `to`."""
    for name in _FORWARDED:
        callback = settings.get(name)
        if callback is not None:
            settings[name] = lambda *arguments, _own=callback: to(_own, arguments)


def _common(side: str, settings: Mapping[str, Any]) -> Settings:
    own = dict(settings)
    if not own.get("bootstrap.servers") and not own.get("metadata.broker.list"):
        raise DualSettingsError(
            f"the {side} has no bootstrap.servers",
            hint="DualProducer({'bootstrap.servers': ...}, "
            "secondary={'bootstrap.servers': ...}); settings of one are not used for the other",
            changed=NOTHING_SENT,
        )
    if own.get("transactional.id"):
        raise DualSettingsError(
            f"the {side} has a transactional.id",
            "two clusters have no common transaction: one could commit where the other aborts",
            hint="take transactional.id out while both sides are written, or keep the producer on "
            "one cluster and follow it with kferry copy",
            changed=NOTHING_SENT,
        )
    if not _yes(own.get("enable.idempotence", True)):
        raise DualSettingsError(
            f"the {side} has enable.idempotence=false",
            "without it a retry may repeat records or change their order on one side alone",
            hint="take enable.idempotence out: DualProducer switches it on for both",
            changed=NOTHING_SENT,
        )
    return {**own, "enable.idempotence": True}


def _yes(value: object) -> bool:
    return str(value).lower() not in _NO
