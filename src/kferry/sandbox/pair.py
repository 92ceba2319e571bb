"""How both clusters of a sandbox come up: at the same time, or not at all.

Owns what the two share: the fetching of jars, the authority behind their certificates, and that a
failure of one is the end of both. How one cluster comes up is in `boot`.
"""

import secrets
import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from kferry.sandbox import locks, versions
from kferry.sandbox.boot import boot
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.jars import ensure
from kferry.sandbox.narration import Narrate
from kferry.sandbox.spec import ClusterSpec, Security

if TYPE_CHECKING:
    from kferry.sandbox.tls import Authority


def boot_pair(
    specs: Mapping[str, ClusterSpec], folder: Path, narrate: Narrate
) -> dict[str, Cluster]:
    """Start the cluster of each side in `folder`; when one fails, give up the other."""
    # Not in parallel with anything else: this is where the network comes in.
    ensure([*{jar for spec in specs.values() for jar in jars_of(spec)}], narrate=narrate)
    authorities = _authorities(specs)
    abandoned = threading.Event()
    narrate("starting " + " and ".join(f"Kafka {s.version} as {side}" for side, s in specs.items()))
    with ThreadPoolExecutor(len(specs)) as pool:
        booting = {
            side: pool.submit(boot, spec, folder / side, authorities[side], abandoned)
            for side, spec in specs.items()
        }
        try:
            done, _ = wait(booting.values(), return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()  # the first failure, not the abandonment that follows from it
            return {side: future.result() for side, future in booting.items()}
        finally:
            abandoned.set()


def jars_of(spec: ClusterSpec) -> tuple[locks.LockedJar, ...]:
    """Return what a cluster of this kind needs."""
    jars = locks.for_kafka(spec.version)
    return jars if spec.kafka.kraft else (*jars, *locks.for_zookeeper(versions.ZOOKEEPER))


def _authorities(specs: Mapping[str, ClusterSpec]) -> "dict[str, Authority | None]":
    """Return the one authority of this sandbox for the sides that need it."""
    secure = {side for side, s in specs.items() if s.security is not Security.PLAINTEXT}
    if not secure:
        return dict.fromkeys(specs)
    # Imported here: without TLS nobody waits for the cryptography package.
    from kferry.sandbox.tls import Authority  # noqa: PLC0415

    authority = Authority(f"kferry sandbox {secrets.token_hex(4)}")
    return {side: authority if side in secure else None for side in specs}
