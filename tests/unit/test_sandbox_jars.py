"""The cache of jars: what is in it is what was locked, whoever else fills it."""

import errno
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kferry.sandbox import disk, jars, locks, maven, versions
from kferry.sandbox.errors import JarsError, NoSpaceError

_CONTENT = b"a jar"


def _jar(artifact: str = "thing") -> locks.LockedJar:
    digest = hashlib.sha256(_CONTENT).hexdigest()
    return locks.parse(f"org.example:{artifact}:1.0 {digest} {len(_CONTENT)}")[0]


def _cached() -> bytes:
    return jars.class_path([_jar()])[0].read_bytes()


class Registry:
    """Serves one content for every jar and counts how often."""

    def __init__(self, contents: Callable[[int], bytes] = lambda _: _CONTENT) -> None:
        self.served = 0
        self._contents = contents

    def download(self, *, folder: Path, **_: str) -> Path:
        self.served += 1
        fetched = folder / "fetched.jar"
        fetched.write_bytes(self._contents(self.served))
        return fetched


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KFERRY_CACHE", str(tmp_path))
    return tmp_path / "jars"


def _serve(monkeypatch: pytest.MonkeyPatch, registry: Registry) -> Registry:
    monkeypatch.setattr(maven, "download", registry.download)
    return registry


def test_a_missing_jar_is_fetched_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = _serve(monkeypatch, Registry())
    told: list[str] = []
    jars.ensure([_jar()], narrate=told.append)
    jars.ensure([_jar()])
    assert jars.class_path([_jar()]) == [cache / "org.example/thing-1.0.jar"]
    assert _cached() == _CONTENT
    assert registry.served == 1
    assert told == ["fetching 0 MB of Kafka's jars, once"]


def test_a_damaged_jar_is_fetched_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _serve(monkeypatch, Registry())
    jars.ensure([_jar()])
    jars.class_path([_jar()])[0].write_bytes(b"half of it")
    jars.ensure([_jar()])
    assert _cached() == _CONTENT


def test_a_download_that_came_damaged_is_tried_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch, Registry(lambda number: b"torn" if number == 1 else _CONTENT))
    jars.ensure([_jar()])
    assert _cached() == _CONTENT


def test_another_content_never_gets_into_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch, Registry(lambda _: b"something else"))
    with pytest.raises(JarsError, match=r"org\.example:thing"):
        jars.ensure([_jar()])
    assert list(cache.rglob("*.jar")) == []
    assert list(cache.glob(".fetch-*")) == []


def test_a_registry_that_does_not_answer_is_named_in_the_error(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(**_: object) -> Path:
        raise ConnectionError("no route to registry.example")

    monkeypatch.setattr(maven, "download", unreachable)
    with pytest.raises(JarsError, match=r"registry\.example") as failure:
        jars.ensure([_jar()])
    assert "HTTPS_PROXY" in failure.value.hint


def test_a_disk_that_fills_up_is_called_by_its_name(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(maven, "download", full)
    with pytest.raises(NoSpaceError):
        jars.ensure([_jar()])


def test_a_disk_too_small_is_noticed_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(NoSpaceError, match="are needed"), disk.room_for(tmp_path, 10**18):
        pytest.fail("there was no room")


def test_many_fetching_at_once_share_the_work(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = _serve(monkeypatch, Registry())
    wanted = [_jar(f"thing-{number}") for number in range(5)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: jars.ensure(wanted), range(4)))
    assert registry.served == len(wanted)


def test_a_lock_reads_as_it_was_written() -> None:
    jar = locks.parse("g.h:a:1.2:linux aa 3")[0]
    assert (jar.group, jar.artifact, jar.version, jar.classifier) == ("g.h", "a", "1.2", "linux")
    assert str(jar.path) == "g.h/a-1.2-linux.jar"
    assert locks.parse(locks.dump([jar], roots=["g.h:a:1.2"])) == (jar,)


@pytest.mark.parametrize("number", versions.KNOWN)
def test_every_version_is_locked_and_of_one_piece(number: str) -> None:
    locked = locks.for_kafka(number)
    own = {jar.version for jar in locked if jar.group == "org.apache.kafka"}
    assert own == {number}
    assert len({jar.path for jar in locked}) == len(locked)
    names = {f"{jar.group}:{jar.artifact}:{jar.version}" for jar in locked}
    assert names.issuperset(versions.find(number).roots)
    assert any("slf4j-" in jar.artifact and jar.artifact != "slf4j-api" for jar in locked)
