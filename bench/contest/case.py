"""One run's circumstances: which clusters, which topic, which number.

Owns the value type.
"""

from dataclasses import dataclass
from pathlib import Path

from kferry.sandbox import Cluster, Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a contender is told. `number` is new in every run of a sandbox."""

    sandbox: Sandbox
    topic: str
    codec: str
    number: int
    folder: Path

    @property
    def source(self) -> Cluster:
        return self.sandbox.source

    @property
    def target(self) -> Cluster:
        return self.sandbox.target
