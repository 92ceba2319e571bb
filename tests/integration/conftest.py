"""What several tests on brokers share: sandboxes of their own, and one matrix of odd logs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from positions_matrix import Matrix, matrix

from kferry.sandbox import Sandbox


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for sandboxes that this test has to itself, for its commands too."""
    monkeypatch.setenv("KFERRY_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def logs(plain: Sandbox) -> Iterator[Matrix]:
    """Odd logs and groups, which take a while to make; who sets positions uses other groups.

    Once a module: brokers end a transaction that stays open for longer than a quarter of an hour.
    """
    made = matrix(plain.source, "positions")
    yield made
    made.transaction.abort_transaction(30)
