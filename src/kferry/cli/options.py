"""Options that every command takes which touches a cluster, before or after its name.

Owns their names, meanings and translation into settings.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from kferry.config import ClusterSettings, TopicSelection, load_cluster

_GLOBAL = Group("Clusters and output", sort_key=100)

VALUED = frozenset({"--source", "--target", "--source-config", "--target-config", "--topic"})
FLAGS = frozenset({"--json", "--yes", "--verbose", "-v", "--quiet", "-q"})
"""What may stand before the command; `arguments` moves it behind."""


@Parameter(name="*", group=_GLOBAL, show_default=False)
@dataclass(frozen=True, kw_only=True)
class Options:
    """What every command understands."""

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
        Parameter(help="a name, a glob, or a /regular expression/; may be repeated", negative=()),
    ] = ()
    json: Annotated[bool, Parameter(help="one JSON object on stdout", negative=())] = False
    yes: Annotated[bool, Parameter(help="do not ask", negative=())] = False
    verbose: Annotated[
        int, Parameter(name=["--verbose", "-v"], help="say more; twice: everything", count=True)
    ] = 0
    quiet: Annotated[
        bool, Parameter(name=["--quiet", "-q"], help="say only what matters", negative=())
    ] = False

    @property
    def source_settings(self) -> ClusterSettings | None:
        """Settings of the source, if it was named."""
        return _named(self.source, self.source_config, "source")

    @property
    def target_settings(self) -> ClusterSettings | None:
        """Settings of the target, if it was named."""
        return _named(self.target, self.target_config, "target")

    @property
    def selection(self) -> TopicSelection:
        """The topics that are meant."""
        return TopicSelection.parse(self.topic)


def _named(bootstrap: str | None, properties: Path | None, side: str) -> ClusterSettings | None:
    if bootstrap is None and properties is None:
        return None
    return load_cluster(bootstrap, properties, side=side)
