"""What tests of the double write share: settings, and whether a map file tells the truth.

Owns the comparison with what an independent consumer reads on both sides.
"""

from pathlib import Path
from typing import Any

from judge import client_config
from judging import Records, Seen, read_all

from kferry.dualwrite import DualReport, Written, read_map
from kferry.sandbox import Cluster, Sandbox


def to(cluster: Cluster, **more: Any) -> dict[str, Any]:
    """Return settings of a producer; names of theirs are written with `__` for a dot."""
    return {
        **client_config(cluster.properties),
        **{name.replace("__", "."): value for name, value in more.items()},
    }


class Reports:
    """Delivery reports, as an application keeps them."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, DualReport]] = []

    def __call__(self, error: Any, report: DualReport) -> None:
        self.all.append((error, report))

    @property
    def errors(self) -> list[Any]:
        return [error for error, _ in self.all if error is not None]


def read_both(sandbox: Sandbox, topic: str, other: str | None = None) -> tuple[Records, Records]:
    return read_all(sandbox.source, topic), read_all(sandbox.target, other or topic)


def assert_map_is_true(path: Path, topic: str, primary: Records, secondary: Records) -> Written:
    """Every pair is the same record on both sides, and every other record is accounted for."""
    told = read_map(path)
    for (name, partition), one in told.partitions.items():
        if name != topic:
            continue
        here = by_offset(primary[partition])
        there = by_offset(secondary[partition])
        paired: dict[int, int] = {}
        for run in one.pairs:
            paired |= {run.primary + n: run.secondary + n for n in range(run.length)}
        wrong = [
            (source, target)
            for source, target in paired.items()
            if here[source].content != there[target].content
        ]
        assert not wrong, f"{name}-{partition}: {wrong[:3]} are not the same records"
        assert list(paired.values()) == sorted(set(paired.values())), "in order, and once"
        missing = {run.primary + n for run in one.missing for n in range(run.length)}
        assert missing <= set(here), "missing are records that the primary has"
        assert not missing & set(paired)
    return told


def by_offset(records: list[Seen]) -> dict[int, Seen]:
    return {one.offset: one for one in records}


def assert_is_part(secondary: Records, primary: Records) -> None:
    """Each partition of the secondary is a part of the primary's, in the same order, once."""
    for partition, records in secondary.items():
        rest = iter(primary[partition])
        for one in records:
            assert any(other.content == one.content for other in rest), (
                f"partition {partition}: {one} is not on the primary, repeated, or out of order"
            )


def count(records: Records) -> int:
    return sum(map(len, records.values()))
