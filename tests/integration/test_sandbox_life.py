"""The life of a sandbox: whose it is, what survives whom, and that nothing is left behind."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import judge
import pytest
from machine import KFERRY, PATIENCE_S, eventually, kferry, processes_of

from kferry.sandbox import ClusterSpec, Sandbox, State, look_at, ports, stop
from kferry.sandbox.errors import BootError, NameInUseError, NotFoundError

_HOLDER = """
import sys
from kferry.sandbox import Sandbox
sandbox = Sandbox.start(name="held")
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def detached(own_home: Path) -> Iterator[Path]:
    """A sandbox called `kept`, started by the command and outliving it; its folder."""
    done = kferry("sandbox", "up", "--name", "kept", "--source-version", "2.8.2")
    assert done.returncode == 0, done.stderr
    yield own_home / "sandbox" / "kept"
    if (own_home / "sandbox" / "kept").exists():
        stop("kept")


@pytest.mark.own_brokers
def test_brokers_end_when_their_owner_is_killed(own_home: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    with owner, owner.stdin, owner.stdout:
        assert owner.stdout.readline() == b"up\n"
        folder = own_home / "sandbox" / "held"
        assert len(processes_of(folder)) >= 2
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    eventually(lambda: not processes_of(folder), patience_s=10)
    assert look_at("held").state is State.UNFINISHED
    stop("held")
    assert not folder.exists()


@pytest.mark.own_brokers
def test_up_outlives_the_command_and_holds_none_of_its_pipes(detached: Path) -> None:
    # That `up` came back at all says that its pipes were closed: both ends were captured.
    assert look_at("kept").state is State.RUNNING
    config = judge.client_config(detached / "target" / "admin.properties")
    judge.create_topic(config, "there")
    judge.send(config, "there", "still here")
    assert judge.read(config, "there") == "still here"
    # The guards went with the command; two brokers and a ZooKeeper are all that is left.
    eventually(lambda: len(processes_of(detached)) == 3)

    again = kferry("sandbox", "up", "--name", "kept")
    assert again.returncode == 1
    assert "K903" in again.stderr
    assert "kferry sandbox down --name kept" in again.stderr.replace("\n│ ", " ")

    assert kferry("sandbox", "down", "--name", "kept").returncode == 0
    assert not detached.exists()
    assert processes_of(detached) == []
    assert kferry("sandbox", "down", "--name", "kept").returncode == 1


@pytest.mark.own_brokers
def test_down_removes_a_crashed_sandbox(detached: Path) -> None:
    Sandbox.find("kept").source.brokers[0].kill()
    assert look_at("kept").state is State.DAMAGED
    stop("kept")
    assert not detached.exists()
    assert processes_of(detached) == []


@pytest.mark.own_brokers
def test_an_up_killed_half_way_leaves_no_process_and_its_name_is_free_again(
    own_home: Path,
) -> None:
    folder = own_home / "sandbox" / "half"
    command = [KFERRY, "sandbox", "up", "--name", "half"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as starting:
        eventually(lambda: list(folder.glob("*/*/pid")))
        with pytest.raises(NameInUseError):
            Sandbox.start(name="half")
        starting.kill()
    eventually(lambda: not processes_of(folder), patience_s=10)
    assert look_at("half").state is State.UNFINISHED
    with Sandbox.start(name="half") as sandbox:
        assert look_at("half").state is State.RUNNING
    assert not sandbox.folder.exists()


@pytest.mark.own_brokers
def test_an_up_that_is_interrupted_tidies_up(own_home: Path) -> None:
    folder = own_home / "sandbox" / "half"
    with subprocess.Popen([KFERRY, "sandbox", "up", "--name", "half"]) as starting:
        eventually(lambda: list(folder.glob("*/*/pid")))
        starting.send_signal(signal.SIGINT)
        starting.wait(PATIENCE_S)
    assert starting.returncode != 0
    eventually(lambda: not processes_of(folder), patience_s=10)
    assert list(own_home.glob("sandbox/*")) == []


@pytest.mark.own_brokers
def test_down_ends_an_up_that_is_still_under_way(own_home: Path) -> None:
    folder = own_home / "sandbox" / "early"
    command = [KFERRY, "sandbox", "up", "--name", "early"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as starting:
        eventually(lambda: list(folder.glob("*/*/pid")))
        stop("early")
        _, told = starting.communicate(timeout=PATIENCE_S)
    assert starting.returncode != 0
    assert "Traceback" not in told
    eventually(lambda: not processes_of(folder), patience_s=10)
    assert not folder.exists()


@pytest.mark.own_brokers
def test_a_taken_port_is_left_to_its_owner(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        really = ports.find_free
        answers = iter([taken])
        monkeypatch.setattr(
            ports, "find_free", lambda count: [next(answers, *really(1)), *really(count - 1)]
        )
        with Sandbox.start() as sandbox:
            assert str(taken) not in sandbox.source.bootstrap + sandbox.target.bootstrap
            assert next(answers, None) is None


@pytest.mark.own_brokers
def test_a_broker_that_cannot_start_says_why_and_leaves_nothing(own_home: Path) -> None:
    wrong = ClusterSpec(version="2.8.2", extra={"log.segment.bytes": "many"})
    with pytest.raises(BootError) as failure:
        Sandbox.start(name="wrong", source=wrong)
    assert "log.segment.bytes" in failure.value.detail
    eventually(lambda: not processes_of(own_home), patience_s=10)
    assert list(own_home.glob("sandbox/*")) == []


@pytest.mark.own_brokers
def test_three_brokers_lose_one_and_get_it_back_with_its_data(own_home: Path) -> None:
    with Sandbox.start(source=ClusterSpec(brokers=3)) as sandbox:
        cluster = sandbox.source
        config = judge.client_config(cluster.properties)
        judge.create_topic(config, "kept", replicas=3)
        judge.send(config, "kept", "before")

        cluster.brokers[1].kill()
        assert [broker.running for broker in cluster.brokers] == [True, False, True]
        judge.send(config, "kept", "meanwhile")
        assert judge.read(config, "kept") == "before"

        cluster.brokers[1].start()
        cluster.wait_until_complete()

        cluster.brokers[2].pause()
        assert cluster.brokers[2].running
        cluster.brokers[2].resume()
        cluster.brokers[0].stop()
        cluster.brokers[0].start()
        cluster.wait_until_complete()
        assert judge.read(config, "kept") == "before"


def test_what_is_not_there_cannot_be_found(own_home: Path) -> None:
    with pytest.raises(NotFoundError):
        Sandbox.find("nowhere")
    with pytest.raises(NotFoundError):
        stop("nowhere")
