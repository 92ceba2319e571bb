"""The table in docs/benchmarks.md, made from the JSON that the measurements left.

    python -m bench.table

Owns the words of the table. Measures nothing, and invents nothing: what was not measured is not in
it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from bench.record import RESULTS

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_NOTHING = "-"
BEGIN, END = "<!-- made by bench.table -->", "<!-- end -->"

_ORDER = (
    "copy_start",
    "copy_plain",
    "copy_old",
    "copy_1kb",
    "copy_tiny",
    "copy_json_zstd",
    "copy_json_gzip",
    "copy_compacted",
    "copy_many_partitions",
    "copy_large",
    "copy_following",
    "copy_tls",
    "copy_distance",
    "plan_many_topics",
    "groups_many",
    "verify",
)
_COLUMNS: Mapping[str, tuple[str, int]] = {
    # key in the medians: what a reader calls it, digits after the point
    "new": ("first record, new state, s", 2),
    "known": ("first record, known state, s", 2),
    "p50_ms": ("half within, ms", 1),
    "p99_ms": ("99 % within, ms", 1),
    "start_up": ("start-up, s", 2),
    "copying": ("copying, s", 2),
    "records_per_second": ("records/s", 0),
    "mb_per_second": ("MB/s", 0),
    "seconds": ("seconds", 2),
    "mb_per_s": ("MB/s", 0),
    "cpu": ("CPU, s", 2),
    "memory": ("memory, MB", 0),
    "all_done": ("start to end, s", 2),
    "requests": ("requests", 0),
    "most_of_a_kind": ("most of one kind", 0),
    "cpu_seconds": ("CPU, s", 2),
    "memory_mb": ("memory, MB", 0),
}


def tables(folder: Path = RESULTS) -> str:
    """Return every result as Markdown."""
    found = ((name, folder / f"{name}.json") for name in _ORDER)
    parts = [_section(name, json.loads(file.read_text())) for name, file in found if file.exists()]
    return "\n".join(parts)


def write(page: Path = PAGE, folder: Path = RESULTS) -> None:
    """Put the tables between their marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{tables(folder)}{END}{after}", encoding="utf-8")


def _section(name: str, kept: Mapping[str, Any]) -> str:
    measured = kept["measurements"]
    lines = [f"### `{name}`", "", _made(kept), ""]
    lines += [f"{_load(one)}" for one in measured if one.get("kind") == "load"]
    contenders = [one for one in measured if one.get("kind") == "contender"]
    lines += ["", *_contenders(contenders), *_timings(measured), ""]
    ratios = [one for one in measured if one.get("kind") == "ratio"]
    if ratios:
        lines += ["| | measured | to reach |", "|---|---|---|", *map(_ratio, ratios), ""]
    return "\n".join(lines) + "\n"


def _made(kept: Mapping[str, Any]) -> str:
    return f"`{kept['made_by']}`, Python {kept['python']}, {kept['cores']} cores."


def _load(one: Mapping[str, Any]) -> str:
    small = "" if one["scale"] == 1 else f" **Only a trial, at scale {one['scale']:g}.**"
    return (
        f"{one['what']}: {one['records']:,} records in {one['batches']:,} batches, "
        f"{one['bytes'] / 1e6:,.0f} MB, {one['partitions']:,} partitions.{small}"
    )


def _contenders(found: list[Mapping[str, Any]]) -> Iterator[str]:
    if not found:
        return
    used = [key for key in _COLUMNS if any(key in one["medians"] for one in found)]
    yield "| | " + " | ".join(_COLUMNS[key][0] for key in used) + " | runs |"
    yield "|---" * (len(used) + 2) + "|"
    for one in found:
        cells = (_cell(one["medians"], key) for key in used)
        yield f"| {one['name']} | " + " | ".join(cells) + f" | {len(one['runs'])} |"


def _timings(measured: list[Mapping[str, Any]]) -> Iterator[str]:
    found = [one for one in measured if "kind" not in one]
    if found:
        yield "| | seconds | runs |"
        yield "|---|---|---|"
    for one in found:
        yield f"| {one['what']} | {median(one['seconds']):,.2f} | {len(one['seconds'])} |"


def _cell(medians: Mapping[str, float], key: str) -> str:
    return f"{medians[key]:,.{_COLUMNS[key][1]}f}" if key in medians else _NOTHING


def _ratio(one: Mapping[str, Any]) -> str:
    value = one["value"]
    measured = f"1/{1 / value:.1f}" if 0 < value < 0.2 else f"{value:,.2f}"
    return f"| {one['what']} | {measured} | {_goal(one)} |"


def _goal(one: Mapping[str, Any]) -> str:
    if one["at_least"] is not None:
        return f"≥ {one['at_least']:g}"
    if one["at_most"] is None:
        return _NOTHING
    most = one["at_most"]
    return f"≤ 1/{1 / most:.0f}" if 0 < most < 0.2 else f"≤ {most:g}"


if __name__ == "__main__":
    write()
