"""The demo: from anywhere, with nothing but itself, and nothing of it is left."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from machine import KFERRY, eventually, processes_of

_PATIENCE_S = 170.0


@contextmanager
def demo(home: Path, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the demo in a folder, with an environment that names no program."""
    folder.mkdir()
    with (
        (home / "told").open("w") as told,
        subprocess.Popen(
            [KFERRY, "demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            cwd=folder,
            env={"KFERRY_HOME": str(home), "HOME": str(Path.home()), "PATH": ""},
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def told(home: Path) -> str:
    return (home / "told").read_text()


@pytest.mark.own_brokers
def test_applications_move_and_every_numbered_record_is_seen_once(
    own_home: Path, tmp_path: Path
) -> None:
    with demo(own_home, tmp_path / "elsewhere", "--json") as process:
        out, _ = process.communicate(timeout=_PATIENCE_S)
    said = told(own_home)
    assert process.returncode == 0, said
    verdict = json.loads(out.splitlines()[-1])
    assert verdict["ok"] is True
    assert verdict["sent"] == verdict["seen"] >= 20_000
    assert verdict["lost"] == verdict["repeated"] == verdict["reordered"] == 0
    # The applications really moved, and did so while they had work.
    assert verdict["live"]["sent"] > 600
    assert verdict["live"]["aborted"] > 0 == verdict["live"]["aborted_seen"]
    assert verdict["interruption_ms"]["producers"] > 0
    assert verdict["interruption_ms"]["consumers"] > 0
    # What was written on the target later is not there to be compared.
    assert verdict["sent"] > verdict["verified"]["same"] > verdict["history"]["sent"]
    # It was killed with some records there and not all, and had to look before it went on.
    _, killed, after = said.partition("killed (SIGKILL) with ")
    there = int(after.split()[0].replace(",", ""))
    assert killed
    assert 0 < there < verdict["history"]["sent"]
    assert "cut short" in after
    assert "\nnext: " in after
    assert_gone(own_home, tmp_path / "elsewhere")


@pytest.mark.own_brokers
@pytest.mark.parametrize(
    ("number", "when"),
    [
        pytest.param(signal.SIGINT, "offsets to copy", marks=pytest.mark.long),
        (signal.SIGTERM, "every producer has flushed"),
    ],
)
def test_interrupted_while_it_copies_or_switches_it_tidies_up(
    own_home: Path, tmp_path: Path, number: signal.Signals, when: str
) -> None:
    with demo(own_home, tmp_path / "elsewhere") as process:
        eventually(
            lambda: when in told(own_home) or process.poll() is not None,
            patience_s=_PATIENCE_S,
        )
        process.send_signal(number)
        process.communicate(timeout=_PATIENCE_S)
    assert process.returncode == 7, told(own_home)
    assert_gone(own_home, tmp_path / "elsewhere")


def assert_gone(home: Path, folder: Path) -> None:
    assert list((home / "sandbox").iterdir()) == []
    assert list(folder.iterdir()) == []
    eventually(lambda: processes_of(home) == [])
