"""How long it takes to fill a cluster with every shape, and how fast the plain ones grow."""

import time
from collections.abc import Sequence

from bench.contest.options import Options
from bench.record import Measurement
from kferry.sandbox import Sandbox
from kferry.sandbox.load import Scale, choose, load

_BY_THE_MILLION = ("records-100b", "records-1kb")


def run(_: Options) -> Sequence[Measurement]:
    return [
        _measure("every shape, small, 4.3.1", [], Scale.SMALL, runs=3),
        _measure("2 M records of 100 B and 1 KB, 4.3.1", _BY_THE_MILLION, Scale.FULL, runs=1),
    ]


def _measure(what: str, shapes: Sequence[str], scale: Scale, *, runs: int) -> Measurement:
    """Each run gets a new sandbox, whose start is not counted."""
    seconds = []
    for _ in range(runs):
        with Sandbox.start(name="bench-load") as sandbox:
            began = time.perf_counter()
            list(load(sandbox.source, choose(shapes), scale=scale))
            seconds.append(time.perf_counter() - began)
    named = "".join(f" --shape {shape}" for shape in shapes)
    return Measurement(
        what=what,
        command=f"kferry sandbox load --scale {scale}{named}",
        seconds=tuple(seconds),
    )
