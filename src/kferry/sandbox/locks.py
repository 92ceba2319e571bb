"""Lock files: which jars, byte for byte, make the class path of one version.

Owns the format, one line per jar: `group:artifact:version[:classifier] sha256 size`. Knows neither
where the jars are kept nor how they are fetched.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedJar:
    """One jar: its Maven name and its content."""

    group: str
    artifact: str
    version: str
    classifier: str = ""
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The Maven name, as Java people write it."""
        parts = (self.group, self.artifact, self.version, self.classifier)
        return ":".join(part for part in parts if part)

    @property
    def path(self) -> PurePosixPath:
        """Where it lies inside the cache. The group keeps equal file names apart."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return PurePosixPath(self.group, f"{self.artifact}-{self.version}{suffix}.jar")


def for_kafka(version: str) -> tuple[LockedJar, ...]:
    """Return the class path of one Kafka version."""
    return load(f"kafka-{version}")


def for_zookeeper(version: str) -> tuple[LockedJar, ...]:
    """Return the class path of one ZooKeeper version."""
    return load(f"zookeeper-{version}")


def load(lock: str) -> tuple[LockedJar, ...]:
    """Read the lock file called `lock`, say `kafka-4.3.1`."""
    return parse(resources.files(__package__).joinpath("locks", f"{lock}.lock").read_text("utf-8"))


def parse(text: str) -> tuple[LockedJar, ...]:
    """Read lock lines; empty lines and those that begin with # are for people."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(map(_parse_line, lines))


def dump(jars: Iterable[LockedJar], *, roots: Iterable[str]) -> str:
    """Write lock lines, sorted, so that a new lock shows what changed and nothing else."""
    head = [
        "# Made by `python -m kferry.sandbox.relock`; roots:",
        *(f"#   {root}" for root in roots),
    ]
    lines = sorted(f"{jar.name} {jar.sha256} {jar.size}" for jar in jars)
    return "\n".join([*head, *lines]) + "\n"


def _parse_line(line: str) -> LockedJar:
    name, sha256, size = line.split()
    group, artifact, version, *rest = name.split(":")
    return LockedJar(
        group=group,
        artifact=artifact,
        version=version,
        classifier=rest[0] if rest else "",
        sha256=sha256,
        size=int(size),
    )
