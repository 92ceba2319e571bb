"""Making ready what sandboxes of one version need: its jars, and what Java learns of them.

Owns the one run of a broker and of a tool that Java learns from. Nothing of them is left but the
file.
"""

import fcntl
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kferry.sandbox import learnt
from kferry.sandbox.boot import boot, kill_all
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.jars import ensure
from kferry.sandbox.learnt import Use
from kferry.sandbox.narration import Narrate, silent
from kferry.sandbox.pair import jars_of
from kferry.sandbox.spec import ClusterSpec
from kferry.sandbox.tools import tool_command

_TOOL = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
_OLD_TOOL = "kafka.admin.ConsumerGroupCommand"
_PATIENCE_S = 120.0


def prepare(version: str, *, narrate: Narrate = silent) -> None:
    """Fetch the jars of a version and let Java learn its classes, unless both was done before."""
    spec = ClusterSpec(version=version)
    ensure(jars_of(spec), narrate=narrate)
    wanted = [use for use in Use if not learnt.file_of(version, use).exists()]
    if not wanted:
        return
    folder = learnt.file_of(version, Use.BROKER).parent
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder), tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as private:
        if all(learnt.file_of(version, use).exists() for use in Use):
            return  # whoever held the lock has made them
        narrate(f"letting Java learn Kafka {version}, once")
        _learn(spec, Path(private))


def _learn(spec: ClusterSpec, private: Path) -> None:
    cluster = boot(spec, private / "cluster", None, threading.Event())
    try:
        _of_a_broker(cluster, private / "broker.aot")
        _of_a_tool(cluster, private / "tool.aot")
    finally:
        kill_all(cluster.processes)
    for use in Use:
        made = private / f"{use}.aot"
        if made.exists():
            made.replace(learnt.file_of(spec.version, use))


def _of_a_broker(cluster: Cluster, file: Path) -> None:
    """Java writes what it has learnt when it ends in good order."""
    broker = cluster.brokers[0]
    broker.stop()
    broker.start(flags=[f"-XX:AOTCacheOutput={file}"])
    cluster.wait_until_complete()
    broker.process.stop(patience_s=_PATIENCE_S)
    broker.start()
    cluster.wait_until_complete()


def _of_a_tool(cluster: Cluster, file: Path) -> None:
    name = _TOOL if cluster.layout.spec.kafka.kraft else _OLD_TOOL
    command = tool_command(
        cluster,
        name,
        *("--bootstrap-server", cluster.bootstrap, "--list"),
        environment={"KAFKA_OPTS": f"-XX:AOTCacheOutput={file}"},
    )
    subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
