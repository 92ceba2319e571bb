"""What travels: one batch on its way from a source partition to a target partition.

Owns the value types between taking and giving. Knows no connection.
"""

from dataclasses import dataclass

from kferry.records import BatchHeader, Parcel, Unreadable

MERGED = 1 << 20
"""Bytes that tiny batches are merged up to."""


BadSource = Unreadable
"""A batch of the source that cannot be copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a target partition takes as it is."""

    max_bytes: int
    """The largest batch (`max.message.bytes`)."""
    stored_codec: int | None = None
    """The codec that its broker stores whatever comes; None where it keeps what comes."""


@dataclass(slots=True, kw_only=True)
class Item:
    """A batch, and how far the source is dealt with once it has arrived."""

    parcel: Parcel
    source_end: int
    """The source offset to go on at: behind the batch, and behind what was left out after it."""
    leader_epoch: int
    header: BatchHeader | None
    """As it came, where the batch was left as it is."""

    @property
    def size(self) -> int:
        """Bytes it takes on the wire."""
        return len(self.parcel.batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was made of one fetched record set."""

    items: list[Item]
    position: int
    """Where to fetch next."""
    leader_epoch: int = -1
    """The source leader's epoch in the last batch, left out or not."""
    bad: BadSource | None = None
    """Why nothing more could be made of it, if that is so."""
    control: int = 0
    """Markers left out."""
    aborted: int = 0
    """Records of aborted transactions left out."""
