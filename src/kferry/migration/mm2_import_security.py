"""How MirrorMaker 2 is let into a cluster, as a section of kferry.yaml, with no secret in it.

Owns which keys go along and how their secrets are referred to: a reference stays one, and a value
in the clear is referred to where it is. Reads no file and no secret.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kferry.config import parse_address
from kferry.config.jaas import credentials
from kferry.config.load import MECHANISMS
from kferry.config.properties import Entry
from kferry.config.values import is_secret
from kferry.errors import ConfigError
from kferry.migration.init_yaml import Value

TAKEN = (
    "security.protocol",
    "sasl.mechanism",
    "sasl.jaas.config",
    "ssl.truststore.type",
    "ssl.truststore.location",
    "ssl.truststore.certificates",
    "ssl.keystore.type",
    "ssl.keystore.location",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
    "client.rack",
)
NOT_NEEDED = re.compile(
    r"ssl\.(truststore|keystore)\.password|ssl\.(protocol|enabled\.protocols|provider)"
    r"|ssl\.(cipher\.suites|secure\.random\.implementation|(key|trust)manager\.algorithm)"
    r"|sasl\.login\..*|sasl\.client\.callback\.handler\.class"
)
_REFERENCE = re.compile(r"\$\{([^}:]+):(?:([^}:]*):)?([^}:]*)\}")
_WHOLE = re.compile(r"\$\{[^}]+\}")
_PROVIDERS = {
    "org.apache.kafka.common.config.provider.FileConfigProvider": "file",
    "org.apache.kafka.common.config.provider.EnvVarConfigProvider": "env",
    "org.apache.kafka.common.config.provider.DirectoryConfigProvider": "directory",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something to say about a key."""

    line: int
    key: str
    text: str
    decide: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where values stand: which file, and what its references mean."""

    file: Path
    providers: Mapping[str, str]
    """By the name that references use."""

    @classmethod
    def of(cls, file: Path, entries: Mapping[str, Entry]) -> "Origin":
        """Read which providers a file names."""
        names = (
            re.split(r"[,\s]+", entries["config.providers"].value)
            if ("config.providers" in entries)
            else []
        )
        classes = {
            name: entries[key].value.strip()
            for name in filter(None, names)
            if (key := f"config.providers.{name}.class") in entries
        }
        return cls(
            file=file,
            providers={name: _PROVIDERS[one] for name, one in classes.items() if one in _PROVIDERS},
        )

    def refer(self, key: str) -> str | None:
        """Refer to a value of the file; None where its path cannot be written in a reference."""
        path = str(self.file.absolute())
        return None if set(path) & set(":{}\n") or "}" in key else f"${{file:{path}:{key}}}"

    def reference(self, text: str) -> str | None:
        """Translate the references in a value; None where one is not kferry's to follow."""
        failed = False

        def one(match: re.Match[str]) -> str:
            nonlocal failed
            provider, path, key = match[1], match[2] or "", match[3]
            kind = self.providers.get(provider)
            if kind == "file" and path:
                return f"${{file:{path}:{key}}}"
            if kind == "directory" and path:
                return f"${{file:{path.rstrip('/')}/{key}}}"
            if kind == "env":
                return f"${{{key}}}"
            failed = True
            return ""

        translated = _REFERENCE.sub(one, text)
        return None if failed else translated


def cluster_section(
    alias: str,
    entries: Mapping[str, tuple[str, Entry]],
    origin: Origin,
    tell: Callable[[Told], None],
) -> dict[str, Value]:
    """Make a section; `entries` are by a client's key: the key in the file, and its value."""
    section: dict[str, Value] = {}
    servers = entries.get("bootstrap.servers")
    if servers is not None:
        found = _servers(servers, origin, tell)
        if found:
            section["bootstrap"] = found
    settings: dict[str, Value] = {}
    for key in TAKEN:
        if key in entries:
            value = _setting(key, *entries[key], origin, tell)
            if value is not None:
                settings[key] = value
    _judge(alias, settings, entries, tell)
    if settings:
        section["settings"] = settings
    return section


def _servers(
    given: tuple[str, Entry], origin: Origin, tell: Callable[[Told], None]
) -> list[str] | str:
    written, entry = given
    if "${" in entry.value:
        value = origin.reference(entry.value.strip())
        if value is None:
            tell(_no_reference(written, entry))
        return value or ""
    servers = [name for name in re.split(r"[,\s]+", entry.value) if name]
    try:
        return [str(parse_address(name, where=written)) for name in servers]
    except ConfigError:
        tell(Told(line=entry.line, key=written, text="is no list of HOST:PORT"))
        return []


def _setting(
    key: str, written: str, entry: Entry, origin: Origin, tell: Callable[[Told], None]
) -> str | None:
    value = entry.value.strip()
    if "${" in value and _REFERENCE.search(value):
        translated = origin.reference(value)
        if translated is not None and (not is_secret(key) or _only_refers(key, translated)):
            return translated
        tell(_no_reference(written, entry))
        return None
    if not is_secret(key):
        if key.endswith(".location") and not value.startswith("/"):
            text = "was relative to where MirrorMaker 2 was started; here it is to this file"
            tell(Told(line=entry.line, key=written, text=text))
        return value.replace("${", "$${")
    reference = origin.refer(written)
    if reference is None:
        text = "is a secret that no reference can name where it is: move it, and refer to it"
        tell(Told(line=entry.line, key=written, text=text))
    return reference


def _no_reference(written: str, entry: Entry) -> Told:
    text = "refers to a value in a way that kferry does not know; write ${NAME} or ${file:…}"
    return Told(line=entry.line, key=written, text=text)


def _only_refers(key: str, value: str) -> bool:
    if _WHOLE.fullmatch(value):
        return True
    if key != "sasl.jaas.config":
        return False
    try:
        return _WHOLE.fullmatch(credentials(value, where=key)[1].reveal()) is not None
    except ConfigError:
        return False


def _judge(
    alias: str,
    settings: Mapping[str, Value],
    entries: Mapping[str, tuple[str, Entry]],
    tell: Callable[[Told], None],
) -> None:
    """Say beforehand what kferry will refuse."""
    if not str(settings.get("security.protocol", "")).upper().startswith("SASL"):
        return
    mechanism = str(settings.get("sasl.mechanism", "GSSAPI"))
    if mechanism.upper() not in MECHANISMS:
        written, entry = entries.get("sasl.mechanism", entries["security.protocol"])
        text = f"{alias} is entered with {mechanism}; kferry knows {', '.join(MECHANISMS)}"
        tell(Told(line=entry.line, key=written, text=text))
