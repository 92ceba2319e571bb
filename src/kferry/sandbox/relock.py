"""Make the lock files anew: `python -m kferry.sandbox.relock [VERSION…]`.

Owns the one moment when dependencies are resolved. Everybody else only reads what it wrote.
"""

import hashlib
import logging
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kferry.sandbox import locks, maven, versions

_log = logging.getLogger("kferry.sandbox.relock")
_FOLDER = Path(__file__).parent / "locks"


def main(wanted: list[str]) -> None:
    """Write the lock file of each version asked for, or of all, ZooKeeper's too."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as folder:
        for number in wanted or versions.KNOWN:
            _relock(f"kafka-{number}", versions.find(number).roots, Path(folder))
        root = f"org.apache.zookeeper:zookeeper:{versions.ZOOKEEPER}"
        _relock(f"zookeeper-{versions.ZOOKEEPER}", (root,), Path(folder))


def _relock(lock: str, roots: Iterable[str], folder: Path) -> None:
    files = maven.resolve(roots, folder)
    jars = [_lock_jar(name, file) for name, file in files.items()]
    (_FOLDER / f"{lock}.lock").write_text(locks.dump(jars, roots=roots), encoding="utf-8")
    _log.info("%s: %d jars, %.0f MB", lock, len(jars), sum(jar.size for jar in jars) / 1e6)


def _lock_jar(name: str, file: Path) -> locks.LockedJar:
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return locks.parse(f"{name} {digest} {len(content)}")[0]


if __name__ == "__main__":
    main(sys.argv[1:])
