"""One process: found again, never mistaken for another, ended with its owner."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kferry.sandbox.process import Process

_SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    folder = tmp_path / "one"
    folder.mkdir()
    made = Process(folder)
    yield made
    made.kill()


def _sleeper(folder: Path, program: str = _SLEEP) -> list[str]:
    return [sys.executable, "-c", program, f"{folder}/settings"]


def test_a_process_is_found_again_by_its_folder(process: Process, tmp_path: Path) -> None:
    process.start(_sleeper(tmp_path / "one"))
    assert process.pid is not None
    assert Process(tmp_path / "one").pid == process.pid
    Process(tmp_path / "one").kill()
    assert process.pid is None


def test_a_process_that_execs_has_not_ended(process: Process, tmp_path: Path) -> None:
    """The Java launcher execs itself; at that moment the system shows no command line for it."""
    again = (
        "import os, sys; mark, left, again = sys.argv[1], int(sys.argv[2]), sys.argv[3]\n"
        "me = [sys.executable, '-I', '-S', '-c', again, mark, str(left - 1), again]\n"
        "os.execv(sys.executable, me) if left else open(mark, 'w').close()"
    )
    mark = tmp_path / "one" / "the-last-one-was-here"
    process.start([sys.executable, "-I", "-S", "-c", again, str(mark), "150", again])
    while process.pid is not None:
        pass
    assert mark.exists()


def test_a_reused_process_id_is_left_alone(process: Process, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _SLEEP]) as stranger:
        (tmp_path / "one" / "pid").write_text(str(stranger.pid))
        assert process.pid is None
        process.kill()
        assert stranger.poll() is None
        stranger.kill()


def test_a_released_process_outlives_the_lifeline(process: Process, tmp_path: Path) -> None:
    process.start(_sleeper(tmp_path / "one"))
    process.release()
    assert not process.wait(0.3)


def test_a_process_that_will_not_stop_is_killed(process: Process, tmp_path: Path) -> None:
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    deaf = f"{ignore}; print('deaf', flush=True); {_SLEEP}"
    process.start(_sleeper(tmp_path / "one", deaf))
    deadline = time.monotonic() + 10
    while "deaf" not in process.log.read_text():
        assert time.monotonic() < deadline
    process.stop(patience_s=0.2)
    assert process.pid is None


def test_what_a_process_says_is_in_its_log(process: Process, tmp_path: Path) -> None:
    process.start(_sleeper(tmp_path / "one", "import sys; sys.exit('no such thing')"))
    assert process.wait(10)
    assert process.log.read_text() == "no such thing\n"
