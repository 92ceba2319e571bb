"""The table in docs/shapes.md: one column for each Kafka version, filled by the test of it."""

import os
from pathlib import Path

from kferry.sandbox.load import SHAPES, release_of
from kferry.sandbox.versions import KNOWN

FILE = Path(__file__).parents[2] / "docs" / "shapes.md"
WRITE = "KFERRY_WRITE_DOCS"
_BEGIN, _END = "<!-- filled by tests/integration -->", "<!-- end -->"
_VERSIONS = sorted(KNOWN, key=release_of)


def check(version: str, there: set[str]) -> None:
    """Compare one column with what the test found; write it where that was asked for."""
    cells = _read()
    found = {shape.name: "yes" if shape.name in there else "no" for shape in SHAPES}
    if os.environ.get(WRITE):
        for name, cell in found.items():
            cells.setdefault(name, {})[version] = cell
        _write(cells)
    stale = f"docs/shapes.md is stale: run the tests with {WRITE}=1"
    assert {name: row.get(version, "") for name, row in _read().items()} == found, stale
    assert _parts()[1].strip() == _rendered(cells), stale


def _read() -> dict[str, dict[str, str]]:
    rows = [line.strip("| ").split(" | ") for line in _parts()[1].splitlines() if line[:2] == "| "]
    if not rows:
        return {}
    (_, *names, _), *body = ([cell.strip() for cell in row] for row in rows)
    return {row[0].strip("`"): dict(zip(names, row[1:-1], strict=True)) for row in body}


def _write(cells: dict[str, dict[str, str]]) -> None:
    before, _, after = _parts()
    FILE.write_text(f"{before}{_BEGIN}\n{_rendered(cells)}\n{_END}{after}", encoding="utf-8")


def _rendered(cells: dict[str, dict[str, str]]) -> str:
    lines = [
        f"| shape | {' | '.join(_VERSIONS)} | what it is |",
        f"|---|{'---|' * len(_VERSIONS)}---|",
    ]
    for shape in SHAPES:
        row = [cells.get(shape.name, {}).get(version) or "?" for version in _VERSIONS]
        about = f"{shape.about} ({shape.limit})" if shape.limit else shape.about
        lines.append(f"| `{shape.name}` | {' | '.join(row)} | {about} |")
    return "\n".join(lines)


def _parts() -> tuple[str, str, str]:
    before, _, rest = FILE.read_text(encoding="utf-8").partition(_BEGIN)
    table, _, after = rest.partition(_END)
    return before, table, after
