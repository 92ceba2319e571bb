"""Classes of a cluster's own jars, run as Kafka's scripts run them: tools, MirrorMaker 2.

Owns their command line. The environment variables KAFKA_HEAP_OPTS and KAFKA_OPTS mean what they
mean to Kafka's scripts. Knows nothing of what the classes do.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from kferry.sandbox import java, learnt, locks
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.jars import class_path, ensure
from kferry.sandbox.learnt import Use

_HEAP_MB = 512  # MirrorMaker 2 with one flow; a tool takes a tenth of it


def tool_command(
    cluster: Cluster, main_class: str, *arguments: str, environment: Mapping[str, str] = os.environ
) -> list[str]:
    """Return the command line that runs `main_class` from the jars of `cluster`."""
    wishes = " ".join(environment.get(name, "") for name in ("KAFKA_HEAP_OPTS", "KAFKA_OPTS"))
    locked = locks.for_kafka(cluster.version)
    ensure(locked)
    return java.command(
        main_class,
        *arguments,
        class_path=class_path(locked),
        heap_mb=_HEAP_MB,
        log_level="WARN",
        # Theirs after ours: the last of two wins.
        flags=(*learnt.flags(cluster.version, Use.TOOL), *shlex.split(wishes)),
    )


def run_tool(
    cluster: Cluster,
    main_class: str,
    *arguments: str,
    stdin: str = "",
    folder: Path | None = None,
    timeout_s: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a class to its end; return what it wrote and its exit code."""
    return subprocess.run(
        tool_command(cluster, main_class, *arguments),
        input=stdin,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=timeout_s,
        check=False,
    )
