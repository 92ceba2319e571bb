"""Writing YAML that reads back as it was meant, whatever a name or a path holds.

Owns quoting and folding of the few shapes that kferry.yaml has. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = str | int | Sequence[str] | Mapping[str, "Value"]
"""True and false are words, too; there is nothing else in a migration file."""

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*")
_WORDS_WITH_A_MEANING = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_WIDTH = 100


def scalar(value: str | int) -> str:
    """Write a single value, quoted where it could be taken for something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_WITH_A_MEANING:
        return value
    if value.isprintable() and "'" not in value and set(value) & set('"\\'):
        return f"'{value}'"
    return '"' + "".join(map(_in_quotes, value)) + '"'


def entry(key: str, value: Value, *, indent: int = 0) -> list[str]:
    """Write a key with what is behind it."""
    lead = f"{' ' * indent}{scalar(key)}:"
    if isinstance(value, str | int):
        return [f"{lead} {scalar(value)}"]
    if isinstance(value, Mapping):
        if not value:
            return [f"{lead} {{}}"]
        return [
            lead,
            *(line for name, one in value.items() for line in entry(name, one, indent=indent + 2)),
        ]
    items = [scalar(one) for one in value]
    line = f"{lead} [{', '.join(items)}]"
    if len(line) <= _WIDTH:
        return [line]
    return [lead, *(f"{' ' * (indent + 2)}- {one}" for one in items)]


def _in_quotes(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
