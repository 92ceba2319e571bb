"""The one module that knows jgo: from Maven names to files.

Owns how artifacts are resolved and downloaded. Registries are jgo's business (and, through its
settings file, the user's); neither their addresses nor our cache are known here. What it downloads
is not to be trusted before its checksum was compared: jgo warns of a wrong one, no more.
"""

from collections.abc import Iterable
from pathlib import Path

from kferry.sandbox.errors import NOTHING_RUNS, MissingPartError

_TIMEOUT_S = 60

try:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext
except ImportError as error:
    raise MissingPartError(
        "the sandbox needs the package jgo",
        str(error),
        hint="pip install 'kferry[sandbox]'",
        changed=NOTHING_RUNS,
    ) from error


def resolve(roots: Iterable[str], folder: Path) -> dict[str, Path]:
    """Download `roots` and all they need into `folder`; return the files by Maven name."""
    context = _context(folder)
    # "!" keeps a root's own dependency management out of the others' dependencies: log4j's would
    # put another kafka-clients beside Kafka's brokers.
    wanted = [context.create_dependency(f"{root}!") for root in roots]
    inputs, transitive = context.resolver.resolve(wanted)
    found: dict[str, Path] = {}
    for dependency in (*inputs, *transitive):
        artifact = dependency.artifact
        parts = (artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier)
        found[":".join(part for part in parts if part)] = Path(artifact.resolve())
    return found


def download(*, group: str, artifact: str, version: str, classifier: str, folder: Path) -> Path:
    """Download one jar into `folder`, which must not hold it yet."""
    component = _context(folder).project(group, artifact).at_version(version)
    return Path(component.artifact(classifier=classifier).resolve())


def _context(folder: Path) -> MavenContext:
    context = MavenContext(repo_cache=folder, timeout=_TIMEOUT_S)
    # The user's own registries first: behind a firewall the public one may not even answer, and
    # jgo gives up at the first that fails to connect.
    mine = GlobalSettings.load().repositories
    context.remote_repos = {**mine, **context.remote_repos, **mine}
    return context
