"""The keys of a MirrorMaker 2 file by what they are about: a flow, a cluster, or all of them.

Owns its layout, and that of a connector's configuration, which says the same with other prefixes.
Every key that was asked for is crossed off; what is left, nobody has understood.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations

from kferry.config.properties import Entry
from kferry.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Flow:
    """From which cluster to which."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}->{self.target}"

    @property
    def migration(self) -> str | None:
        """A name for its migration, if one can be made of the aliases."""
        name = f"{self.source}-to-{self.target}"
        return name if re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A key that nobody has asked for."""

    key: str
    """Without its prefix."""
    written: str
    entry: Entry
    elsewhere: str = ""
    """The flow or cluster it is about, if it is not the one that is imported."""


class Mm2File:
    """One file."""

    def __init__(self, entries: Mapping[str, Entry], *, name: str) -> None:
        self.name = name
        self._written = dict(zip(entries, entries, strict=True))
        self._entries = dict(entries)
        if "clusters" not in entries and "source.cluster.alias" in entries:
            self._take_connector(entries)
        clusters = self._entries.get("clusters")
        if clusters is None:
            raise ConfigError(
                f"{name} names no `clusters`, so it is no file of MirrorMaker 2",
                hint="it is the file that connect-mirror-maker.sh is started with, or the "
                "configuration of a MirrorSourceConnector as properties",
            )
        self.clusters = tuple(dict.fromkeys(filter(None, re.split(r"[,\s]+", clusters.value))))
        self._used = {"clusters"}

    @property
    def flows(self) -> list[Flow]:
        """Those that are enabled."""
        return [flow for flow in self._pairs if is_true(self._value(f"{flow}.enabled"))]

    @property
    def _pairs(self) -> list[Flow]:
        return [Flow(*pair) for pair in permutations(self.clusters, 2)]

    def choose(self, wanted: str | None) -> Flow:
        """Return the flow that is meant."""
        if wanted is not None:
            named = re.sub(r"\s*(->|→|:)\s*", "->", wanted.strip())
            found = next((flow for flow in self._pairs if str(flow) == named), None)
            if found is None:
                raise ConfigError(
                    f"{self.name} has no flow {wanted[:80]}",
                    hint=f"its clusters are {', '.join(self.clusters)}: write --flow 'A->B'",
                )
            return found
        flows = self.flows
        if len(flows) == 1:
            return flows[0]
        if not flows:
            raise ConfigError(
                f"{self.name} enables no flow",
                hint="say which is meant: --flow 'A->B', of " + ", ".join(self.clusters),
            )
        raise ConfigError(
            f"{self.name} enables {len(flows)} flows",
            "Each is a migration, and a file, of its own: " + ", ".join(map(str, flows)),
            hint=f"kferry init --from-mm2 {self.name} --flow '{flows[0]}' --out "
            f"{flows[0].migration or 'first'}.yaml, and so on",
        )

    def find(self, flow: Flow, key: str) -> tuple[str, Entry] | None:
        """Return a setting of a flow, as it was written; its own wins over that for all."""
        found = None
        for name in (key, f"{flow}.{key}"):
            if name in self._entries:
                self._used.add(name)
                found = (self._written[name], self._entries[name])
        return found

    def of_cluster(self, alias: str, wanted: Callable[[str], bool]) -> dict[str, tuple[str, Entry]]:
        """Return settings of a cluster by a client's key; its own win over those for all."""
        found = {}
        for prefix in ("", f"{alias}."):
            for name, entry in self._entries.items():
                key = name.removeprefix(prefix)
                if name.startswith(prefix) and wanted(key):
                    self._used.add(name)
                    found[key] = (self._written[name], entry)
        return found

    def client_values(self, flow: Flow, key: str) -> list[Entry]:
        """Return what the clients of a flow's source are told."""
        names = [key, f"{flow.source}.{key}", f"{flow}.{key}"]
        self._used.update(names)
        return [self._entries[name] for name in names if name in self._entries]

    def left(self, flow: Flow) -> list[Left]:
        """Return all that nobody has asked for, in the order of the file."""
        found = []
        for name, entry in self._entries.items():
            if name not in self._used:
                scope, key = self._scope(name)
                near = scope in {"", str(flow), flow.source, flow.target}
                written = self._written[name]
                found.append(
                    Left(key=key, written=written, entry=entry, elsewhere="" if near else scope)
                )
        return sorted(found, key=lambda one: one.entry.line)

    def _scope(self, name: str) -> tuple[str, str]:
        """Split a key into what it is about and the rest."""
        scopes = [*map(str, self._pairs), *self.clusters]
        for scope in sorted(scopes, key=len, reverse=True):
            if name.startswith(f"{scope}."):
                return scope, name.removeprefix(f"{scope}.")
        return "", name

    def _value(self, name: str) -> str | None:
        entry = self._entries.get(name)
        return None if entry is None else entry.value

    def _take_connector(self, entries: Mapping[str, Entry]) -> None:
        """Turn the keys of a connector into those of the file that runs many."""
        aliases = {
            side: entries[f"{side}.cluster.alias"].value.strip()
            for side in ("source", "target")
            if f"{side}.cluster.alias" in entries
        }
        source, target = aliases["source"], aliases.get("target", "target")
        aliases["target"] = target
        self._entries, self._written = {}, {}
        for name, entry in entries.items():
            new = name
            for side, alias in aliases.items():
                if name == f"{side}.cluster.alias":
                    new = ""
                elif name.startswith(f"{side}.cluster."):
                    new = f"{alias}.{name.removeprefix(f'{side}.cluster.')}"
                elif re.match(rf"{side}\.(consumer|producer|admin)\.", name):
                    new = f"{alias}.{name.removeprefix(f'{side}.')}"
            if new:
                self._entries[new], self._written[new] = entry, name
        self._entries["clusters"] = Entry(f"{source},{target}", 0)
        self._entries[f"{source}->{target}.enabled"] = Entry("true", 0)
        self._written |= {name: name for name in self._entries if name not in self._written}


def is_true(value: str | None) -> bool:
    """Read a word as Java does."""
    return (value or "").strip().lower() == "true"
