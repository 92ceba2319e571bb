"""The guides run as they are written: their shell blocks, in order, in one empty directory."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from machine import KFERRY, eventually, processes_of

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE_S = 170.0
# A reader sees a command fail; `set -e` does here.
_STRICT = "set -e\n"


def script_of(guide: str) -> str:
    """Return all shell blocks of a guide as one script."""
    return _STRICT + "\n".join(_BLOCK.findall((GUIDES / f"{guide}.md").read_text()))


@pytest.mark.own_brokers
@pytest.mark.parametrize(
    "guide",
    [
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in (
                "mirror",
                "producer-first",
                "dual-consumer",
                "consumer-first",
                "drain",
                "double-write",
            )
        ),
    ],
)
def test_a_guide_runs_as_it_is_written(own_home: Path, tmp_path: Path, guide: str) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    environment = {
        **os.environ,
        "KFERRY_HOME": str(own_home),
        "PATH": f"{Path(KFERRY).parent}{os.pathsep}{os.environ['PATH']}",
    }
    try:
        ran = subprocess.run(
            ["/bin/sh", "-c", script_of(guide)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    finally:
        subprocess.run(
            [KFERRY, "sandbox", "down"], env=environment, capture_output=True, check=False
        )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    # The judge was asked, and had something to judge.
    assert re.search(r"[1-9][\d,]* sent, [\d,]+ seen by every group, 0 lost, 0 repeated", said)
    eventually(lambda: processes_of(own_home) == [])
