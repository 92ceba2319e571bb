"""`source` and `target` of kferry.yaml: addresses, a properties file, or a client's keys inline.

Owns how the three come together, and that no secret stands in the file itself. Which keys mean
what is the business of `load`.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kferry.config.jaas import credentials
from kferry.config.load import cluster_settings, read_properties
from kferry.config.problems import Problems
from kferry.config.properties import Entry
from kferry.config.section import Section, Text
from kferry.config.settings import ClusterSettings
from kferry.config.values import Properties, is_secret
from kferry.errors import ConfigError

CLUSTER_KEYS = ("bootstrap", "properties", "settings")
_REFERENCE = re.compile(r"(?<!\$)\$\{[^}]+\}")
_RELATIVE_FILE = re.compile(r"(?<!\$)\$\{file:(?![/~])")


class _Layers(Properties):
    """Several sources of properties; the first that has a key wins, and is named in errors."""

    def __init__(self, layers: Sequence[Properties], *, name: str) -> None:
        super().__init__({}, name=name, environment={})
        self._layers = layers

    def has(self, key: str) -> bool:
        return any(layer.has(key) for layer in self._layers)

    def where(self, key: str) -> str:
        layer = self._of(key)
        return f"{self.name}: {key}" if layer is None else layer.where(key)

    def get(self, key: str) -> str | None:
        layer = self._of(key)
        return None if layer is None else layer.get(key)

    def is_emptied(self, key: str) -> bool:
        layer = self._of(key)
        return layer is not None and layer.is_emptied(key)

    def _of(self, key: str) -> Properties | None:
        return next((layer for layer in self._layers if layer.has(key)), None)


def read_cluster(
    section: Section,
    side: str,
    *,
    folder: Path,
    problems: Problems,
    bootstrap: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> ClusterSettings | None:
    """Read one side; `bootstrap` is what the command line says, and wins."""
    servers, file = section.one_or_more("bootstrap"), section.text("properties")
    pairs = section.pairs("settings")
    if servers is None and file is None and not pairs:
        problems.add(section.line, f"`{side}` names no cluster", hint="add `bootstrap: HOST:PORT`")
        return None
    known = len(problems)
    inline = _inline(pairs, side, folder=folder, problems=problems)
    if servers is not None:
        inline["bootstrap.servers"] = Entry(*servers)
    layers = [Properties(inline, name=side, environment=environment)]
    with problems.at(section.line_of("properties")):
        if file is not None:
            layers.append(read_properties(_below(folder, file.text), environment=environment))
    if len(problems) > known:
        return None  # what is built on this would be wrong in consequence
    with problems.at(section.line, within=side):
        return cluster_settings(_Layers(layers, name=f"`{side}`"), bootstrap=bootstrap)
    return None


def _inline(
    pairs: Sequence[tuple[Text, Text]], side: str, *, folder: Path, problems: Problems
) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for key, value in pairs:
        text = _RELATIVE_FILE.sub(lambda _: f"${{file:{folder.absolute()}/", value.text)
        if is_secret(key.text) and not _only_refers(key.text, value.text):
            problems.add(
                key.line,
                f"`{side}.settings.{key.text}` holds a secret",
                hint="keep it out of the file: ${NAME} or ${file:/path}",
            )
        if key.text.endswith(".location") and text and not text.startswith("${"):
            text = str(_below(folder, text))
        entries[key.text] = Entry(text, key.line)
    return entries


def _only_refers(key: str, value: str) -> bool:
    """Whether a secret value is nothing but a reference; in a JAAS line, its password."""
    stripped = value.strip()
    if not stripped or _REFERENCE.fullmatch(stripped):
        return True
    if key != "sasl.jaas.config":
        return False
    try:
        _, password = credentials(stripped, where=key)
    except ConfigError:
        return False
    return _REFERENCE.fullmatch(password.reveal()) is not None


def _below(folder: Path, path: str) -> Path:
    return folder / Path(path).expanduser()
