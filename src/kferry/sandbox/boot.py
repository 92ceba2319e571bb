"""How a cluster comes up: files, storage, processes, and the wait until every broker answers.

Owns the order of things and what to do when one fails. What it has started it stops again.
"""

import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kferry.sandbox import boot_log, layout_file, storage, zookeeper
from kferry.sandbox.access import Access, make_access
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.errors import CLEANED_UP, BootError, PortTakenError
from kferry.sandbox.grants import grant
from kferry.sandbox.layout import Layout, plan
from kferry.sandbox.process import Process
from kferry.sandbox.server_properties import as_text, server_properties
from kferry.sandbox.spec import ClusterSpec

if TYPE_CHECKING:
    from kferry.sandbox.tls import Authority

_PATIENCE_S = 90.0
_TICK_S = 0.05
_ATTEMPTS = 4


def boot(
    spec: ClusterSpec, folder: Path, authority: "Authority | None", abandoned: threading.Event
) -> Cluster:
    """Bring a cluster up in `folder`, named by its side; give up when `abandoned` is set."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return _boot_once(spec, folder, authority, abandoned)
        except PortTakenError:
            # It was free when we looked, and somebody took it before the broker did: elsewhere.
            shutil.rmtree(folder)
    return _boot_once(spec, folder, authority, abandoned)


def kill_all(processes: tuple[Process, ...]) -> None:
    """End processes at once: nobody will miss the data."""
    for process in processes:
        process.signal(signal.SIGKILL)
    for process in processes:
        process.kill()


def _boot_once(
    spec: ClusterSpec, folder: Path, authority: "Authority | None", abandoned: threading.Event
) -> Cluster:
    layout = plan(spec, folder)
    cluster = Cluster(layout)
    wait = _Wait(cluster, abandoned)
    try:
        access = make_access(layout, authority)
        _write_files(layout, access)
        if spec.kafka.kraft:
            storage.format_nodes(layout, options=access.storage)
        if cluster.zookeeper:
            zookeeper.start(cluster.zookeeper, layout)
            wait.until_nothing(lambda: zookeeper.prepare(layout, access.zookeeper))
        wait.check()
        for broker in cluster.brokers:
            broker.start()
        wait.until_nothing(cluster.what_is_missing)
        if access.acls:
            grant(access.acls, cluster.properties)
    except BaseException:
        kill_all(cluster.processes)
        raise
    return cluster


def _write_files(layout: Layout, access: Access) -> None:
    for node in layout.nodes:
        (node.folder / "tmp").mkdir(parents=True)
        _write_private(node.settings, as_text(server_properties(layout, node, access.server)))
        if access.jaas:
            _write_private(node.jaas, access.jaas)
    servers = {"bootstrap.servers": layout.bootstrap}
    _write_private(layout.folder / "admin.properties", as_text({**servers, **access.admin}))
    _write_private(layout.folder / "kferry.properties", as_text({**servers, **access.kferry}))
    layout_file.save(layout)


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


class _Wait:
    """Patience with a cluster: it ends with a process, with time, or when nobody waits."""

    def __init__(self, cluster: Cluster, abandoned: threading.Event) -> None:
        self._cluster = cluster
        self._abandoned = abandoned
        self._deadline = time.monotonic() + _PATIENCE_S

    def until_nothing(self, missing: Callable[[], str]) -> None:
        """Ask until `missing` has nothing more to say."""
        while reason := missing():
            self.check(reason)
            time.sleep(_TICK_S)
        # Somebody else may have answered on a port that ours did not get.
        self.check()

    def check(self, reason: str = "") -> None:
        """Raise if there is no use in waiting on."""
        for process in self._cluster.processes:
            self._check_process(process)
        if self._abandoned.is_set():
            raise BootError("the start was abandoned", changed=CLEANED_UP)
        if time.monotonic() > self._deadline:
            raise BootError(
                f"Kafka {self._cluster.version} did not answer within {_PATIENCE_S:.0f} s",
                reason,
                hint="is the machine very busy? then try kferry sandbox up again",
                changed=CLEANED_UP,
            )

    def _check_process(self, process: Process) -> None:
        """Raise if a process that has begun has ended."""
        if not process.log.exists() or process.pid is not None:
            return
        error = PortTakenError if boot_log.port_was_taken(process.log) else BootError
        raise error(
            f"{process.log.parent.name} of Kafka {self._cluster.version} ended while it started",
            boot_log.last_words(process.log),
            hint="kferry sandbox up again; with other extra settings if these were refused",
            changed=CLEANED_UP,
        )
