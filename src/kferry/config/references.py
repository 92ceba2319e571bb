"""References inside values: `${NAME}`, `${env:NAME}`, `${file:/path}`, `${file:/path:key}`.

Owns where secrets may come from when they are not in the file itself; the last two forms are those
of Kafka's own configuration providers. `$${` is a literal `${`.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from kferry.config.properties import parse_properties
from kferry.errors import ConfigError

_REFERENCE = re.compile(r"\$(\$\{)|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def expand(value: str, environment: Mapping[str, str], *, where: str, secret: bool = False) -> str:
    """Replace every reference; `where` names key and line for the error.

    Of a secret value not even the reference is named: what looks like one may be a part of it.
    """

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return "${"
        try:
            return _resolve(match[2], environment, where)
        except ConfigError:
            if not secret:
                raise
        raise ConfigError(
            f"{where}: a ${{…}} in it leads nowhere",
            hint="export the variable or check the file's path and key; if the value really "
            "holds a ${, write $${",
        )

    return _REFERENCE.sub(one, value)


def _resolve(reference: str, environment: Mapping[str, str], where: str) -> str:
    kind, _, rest = reference.partition(":")
    if kind == "file":
        return _from_file(rest, where)
    name = rest if kind == "env" else reference
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: `${{{reference}}}` is no reference kferry knows",
            hint="use ${NAME} for the environment, ${file:/path} or ${file:/path:key} for a file; "
            "write $${ for a literal ${",
        )
    if name not in environment:
        raise ConfigError(
            f"{where}: the environment variable {name} is not set",
            hint=f"export {name}=… before you run the command again",
        )
    return environment[name]


def _from_file(rest: str, where: str) -> str:
    path, _, key = rest.partition(":")
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(
            f"{where}: cannot read {path}: {reason}", hint="check the path in ${file:…}"
        ) from None
    if not key:
        return text.strip()
    entry = parse_properties(text).get(key)
    if entry is None:
        raise ConfigError(f"{where}: {path} has no key {key}", hint="check ${file:path:key}")
    return entry.value
