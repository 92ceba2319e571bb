"""Options that every command takes which touches a cluster, before or after its name.

Owns their names, meanings and translation into settings. What the command line says wins over the
migration file.
"""

import shlex
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from kferry.config import (
    ClusterSettings,
    Given,
    MigrationFile,
    TopicSelection,
    check_migration_name,
    load_cluster,
    load_migration_file,
)

_GLOBAL = Group("Clusters and output", sort_key=100)
DEFAULT_FILE = Path("kferry.yaml")

VALUED = frozenset(
    {
        "--source",
        "--target",
        "--source-config",
        "--target-config",
        "--topic",
        "--migration",
        "-m",
        "--config",
        "-c",
    }
)
FLAGS = frozenset({"--json", "--yes", "--verbose", "-v", "--quiet", "-q"})
"""What may stand before the command; `arguments` moves it behind."""


@Parameter(name="*", group=_GLOBAL, show_default=False)
@dataclass(frozen=True, kw_only=True)
class Options:
    """What every command understands."""

    migration: Annotated[
        str | None,
        Parameter(name=["--migration", "-m"], help="the migration's name (without: default-…)"),
    ] = None
    config: Annotated[
        Path | None,
        Parameter(
            name=["--config", "-c"],
            help="the migration file (without, and no cluster named: ./kferry.yaml)",
        ),
    ] = None
    source: Annotated[str | None, Parameter(help="where records come from: HOST:PORT,…")] = None
    target: Annotated[str | None, Parameter(help="where records go: HOST:PORT,…")] = None
    source_config: Annotated[
        Path | None, Parameter(help="the source's Java client .properties file")
    ] = None
    target_config: Annotated[
        Path | None, Parameter(help="the target's Java client .properties file")
    ] = None
    topic: Annotated[
        tuple[str, ...],
        Parameter(help="a name, a glob, or a /regular expression/; repeatable", negative=()),
    ] = ()
    json: Annotated[
        bool,
        Parameter(help="JSON on stdout, an object a line; the last is the result", negative=()),
    ] = False
    yes: Annotated[bool, Parameter(help="do not ask", negative=())] = False
    verbose: Annotated[
        int, Parameter(name=["--verbose", "-v"], help="say more; twice: everything", count=True)
    ] = 0
    quiet: Annotated[
        bool, Parameter(name=["--quiet", "-q"], help="say only what matters", negative=())
    ] = False

    @cached_property
    def file(self) -> MigrationFile | None:
        """The migration file, if there is one."""
        path = self.config
        if path is None:
            if self._names_a_cluster or not DEFAULT_FILE.is_file():
                return None
            path = DEFAULT_FILE
        return load_migration_file(
            path,
            source=Given(bootstrap=self.source, whole=self.source_config is not None),
            target=Given(bootstrap=self.target, whole=self.target_config is not None),
        )

    @property
    def source_settings(self) -> ClusterSettings | None:
        """Settings of the source, if it was named."""
        from_file = None if self.file is None else self.file.source
        return from_file or _named(self.source, self.source_config, "source")

    @property
    def target_settings(self) -> ClusterSettings | None:
        """Settings of the target, if it was named."""
        from_file = None if self.file is None else self.file.target
        return from_file or _named(self.target, self.target_config, "target")

    @property
    def migration_name(self) -> str | None:
        """The name of the migration; None: the one that follows from the source's cluster id."""
        if self.migration is not None:
            return check_migration_name(self.migration, where="--migration")
        return None if self.file is None else self.file.name

    @property
    def selection(self) -> TopicSelection:
        """The topics that are meant: those of the file, of these the ones named here."""
        if self.file is None:
            return TopicSelection.parse(self.topic)
        return self.file.selection.narrowed(self.topic) if self.topic else self.file.selection

    def again(self, *sides: str, topics: bool = False) -> str:
        """Return what must follow a next command so that it means the same."""
        given: list[tuple[str, object]] = [("-m", self.migration), ("-c", self.config)]
        for side in sides or ("source", "target"):
            given.append((f"--{side}", getattr(self, side)))
            given.append((f"--{side}-config", getattr(self, f"{side}_config")))
        given += [("--topic", topic) for topic in self.topic if topics]
        return "".join(
            f" {name} {shlex.quote(str(value))}" for name, value in given if value is not None
        )

    @property
    def _names_a_cluster(self) -> bool:
        named = (self.source, self.target, self.source_config, self.target_config)
        return any(one is not None for one in named)


def as_words(flags: Any, *, left_out: Collection[str] = ()) -> str:
    """Write the flags of a command as they must follow it; those that say nothing are left out."""
    words = ""
    for field in fields(flags):
        value = getattr(flags, field.name)
        if field.name in left_out or value is None or value is False:
            continue
        for one in value if isinstance(value, tuple) else (value,):
            given = "" if one is True else f" {shlex.quote(str(one))}"
            words += f" --{field.name.replace('_', '-')}{given}"
    return words


def _named(bootstrap: str | None, properties: Path | None, side: str) -> ClusterSettings | None:
    if bootstrap is None and properties is None:
        return None
    return load_cluster(bootstrap, properties, side=side)
