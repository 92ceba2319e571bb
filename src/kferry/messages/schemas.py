"""Which schema of a registry a record was written with.

Owns the two ways in which serializers say so: five bytes in front, or a header. Fetches no schema.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

_FRAME = 5
_BY_ID, _BY_GUID = 0, 1
_GUID_LENGTH = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a frame names. Avro and Protobuf cannot be told apart without the registry."""

    id: int | str
    """The registry's number, or the schema's own id (a UUID)."""
    kind: str

    def __str__(self) -> str:
        return f"schema {self.id}, {self.kind}"


def schema_of(
    data: bytes | None, headers: Sequence[tuple[str, bytes | None]], *, part: str
) -> Schema | None:
    """Recognise the schema of a record's `key` or `value`."""
    name = f"__{part}_schema_id"
    for found, value in headers:
        framed = value is not None and len(value) == _GUID_LENGTH and value[0] == _BY_GUID
        if found == name and value is not None and framed:
            return Schema(id=str(UUID(bytes=value[1:])), kind=_kind(data or b""))
    if data is None or len(data) <= _FRAME or data[0] != _BY_ID:
        return None
    number = int.from_bytes(data[1:_FRAME], "big", signed=True)
    # Small numbers of eight bytes begin with five zeros; no registry counts from 0.
    return Schema(id=number, kind=_kind(data[_FRAME:])) if number > 0 else None


def _kind(payload: bytes) -> str:
    if payload[:1] in {b"{", b"["}:
        try:
            json.loads(payload)
        except (ValueError, RecursionError):
            pass
        else:
            return "JSON"
    return "Avro or Protobuf"
