"""Documents as bytes: JSON objects under a key, each with the version of its form.

Owns their encoding and what is believed of bytes that anybody may have put there. What a document
means is known to whoever wrote it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kferry.ledger.errors import DocumentTooLarge, LedgerTooNew

VERSION = 1
"""The newest form that this release knows."""

_MOST_KEY = 64 * 1024
_MOST_VALUE = 1_000_000
"""Together with its key a document fits a topic of Kafka's default `max.message.bytes`."""

Value = Mapping[str, Any]
Entry = tuple[str, Value | None]
"""A key and its new value; None takes the document away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document as it lies in the ledger. `value` is None where it was taken away."""

    key: str
    value: Value | None
    slot: int
    offset: int
    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A record in the ledger that is no document. Who reads goes on without it."""

    slot: int
    offset: int
    reason: str


class NotADocument(ValueError):
    """Bytes that are no document."""


def encode(entry: Entry) -> tuple[bytes, bytes | None]:
    """Lay out key and value; a value says its version."""
    name, value = entry
    key = name.encode()
    if len(key) > _MOST_KEY:
        raise _too_large(name, "key", len(key), _MOST_KEY)
    if value is None:
        return key, None
    body = json.dumps({"v": VERSION, **value}, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > _MOST_VALUE:
        raise _too_large(name, "value", len(body), _MOST_VALUE)
    return key, body


def decode(key: bytes | None, value: bytes | None) -> Entry:
    """Read key and value; a newer form is an error, for without it the rest would be misread."""
    if key is None or len(key) > _MOST_KEY or (value is not None and len(value) > _MOST_VALUE):
        raise NotADocument("it has no key" if key is None else "it is too large")
    try:
        name = key.decode()
        # Depth, numbers of a million digits, other encodings: all of it ends here.
        found = None if value is None else json.loads(value.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotADocument(f"it is not JSON: {error}") from error
    if value is None:
        return name, None
    if not isinstance(found, dict):
        raise NotADocument("it is not a JSON object")
    version = found.get("v")
    if type(version) is not int or version < 1:
        raise NotADocument("it does not say its version")
    if version > VERSION:
        raise LedgerTooNew(
            f"the ledger holds {name!r} in form {version}, this kferry knows {VERSION}",
            "a later release has written it",
            hint="pip install --upgrade kferry",
        )
    return name, found


def _refuse(constant: str) -> None:
    raise NotADocument(f"it is not JSON: {constant}")


def _too_large(name: str, part: str, size: int, most: int) -> DocumentTooLarge:
    return DocumentTooLarge(
        f"the {part} of the ledger document {name[:60]!r} has {size:,} bytes, {most:,} are allowed",
        hint="this is a fault of kferry; please report it",
    )
