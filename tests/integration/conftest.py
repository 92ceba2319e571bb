"""Sandboxes that tests start for themselves, away from the user's own."""

from pathlib import Path

import pytest


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for sandboxes that this test has to itself, for its commands too."""
    monkeypatch.setenv("KFERRY_HOME", str(tmp_path))
    return tmp_path
