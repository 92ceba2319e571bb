"""The values of one properties file, on demand.

Owns looking a key up: references resolved, emptiness told apart from absence, errors that name
file, key and line. Knows no key by name.
"""

from collections.abc import Mapping

from kferry.config.properties import Entry
from kferry.config.references import expand


def is_secret(key: str) -> bool:
    """Whether a key's value must never be shown."""
    return key == "sasl.jaas.config" or key.endswith((".password", ".key"))


class Properties:
    """The entries of one file, references resolved when asked for, errors naming key and line."""

    def __init__(
        self, entries: Mapping[str, Entry], *, name: str, environment: Mapping[str, str]
    ) -> None:
        self._entries = entries
        self._environment = environment
        self.name = name

    def has(self, key: str) -> bool:
        """Whether the key is there at all."""
        return key in self._entries

    def where(self, key: str) -> str:
        """Name a key for an error message."""
        entry = self._entries.get(key)
        return f"{self.name}: {key}" if entry is None else f"{self.name} line {entry.line}: {key}"

    def get(self, key: str) -> str | None:
        """Return the value with its references resolved, or None where absent or empty."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        where = self.where(key)
        value = expand(entry.value, self._environment, where=where, secret=is_secret(key))
        return value.strip() or None

    def is_emptied(self, key: str) -> bool:
        """Whether the key is there with nothing behind it, which for some keys is a statement."""
        entry = self._entries.get(key)
        return entry is not None and not entry.value.strip()
