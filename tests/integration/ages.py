"""Which ages of Kafka a test is for: some in every run, more with `make versions`."""

from typing import Any

import pytest


def ages(*always: str, more: tuple[str, ...] = ()) -> list[Any]:
    """Return the parameters of a fixture or test."""
    return [*always, *(pytest.param(one, marks=pytest.mark.versions) for one in more)]
