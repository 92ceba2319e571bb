"""The table in docs/securities.md: what tests found open, and what sets versions apart."""

import os
from pathlib import Path

from kferry.sandbox.versions import KNOWN, KafkaVersion

FILE = Path(__file__).parents[2] / "docs" / "securities.md"
WRITE = "KFERRY_WRITE_DOCS"
_BEGIN, _END = "<!-- filled by tests/integration -->", "<!-- end -->"
SSL, PLAIN, SCRAM = "`ssl`", "`sasl_ssl`, PLAIN", "`sasl_ssl`, SCRAM-SHA-512"
_FOUND = (SSL, PLAIN, SCRAM)


def check(version: str, found: dict[str, bool]) -> None:
    """Compare the cells that a test has looked into; write them where that was asked for."""
    cells = _read()
    expected = {way: "yes" if works else "no" for way, works in found.items()}
    if os.environ.get(WRITE):
        for way, cell in expected.items():
            cells.setdefault(way, {})[version] = cell
        before, _, after = _parts()
        FILE.write_text(f"{before}{_BEGIN}\n{_rendered(cells)}\n{_END}{after}", encoding="utf-8")
    stale = f"docs/securities.md is stale: run the tests with {WRITE}=1"
    written = _read()
    assert {way: written.get(way, {}).get(version) for way in found} == expected, stale
    assert _parts()[1].strip() == _rendered(cells), stale


def _read() -> dict[str, dict[str, str]]:
    rows = [line.strip("| ").split(" | ") for line in _parts()[1].splitlines() if line[:2] == "| "]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]}


def _rendered(cells: dict[str, dict[str, str]]) -> str:
    rows = [[way, *(cells.get(way, {}).get(number, "?") for number in KNOWN)] for way in _FOUND]
    of_versions = [_facts(version) for version in KNOWN.values()]
    rows += [[fact, *(facts[fact] for facts in of_versions)] for fact in of_versions[0]]
    head = ["what", *KNOWN]
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    lines.insert(1, "|---" * len(head) + "|")
    return "\n".join(lines)


def _facts(version: KafkaVersion) -> dict[str, str]:
    return {
        "a client with a certificate is": "User:admin" if version.maps_names else "User:CN=admin",
        "brokers' own stores": "PEM" if version.pem else "PKCS12",
        "brokers behind `sasl_ssl` log in by": "PLAIN" if version.kraft else "certificate",
        "rights are given by": "CreateAcls" if version.acl_calls else "ZooKeeper",
    }


def _parts() -> tuple[str, str, str]:
    before, _, rest = FILE.read_text(encoding="utf-8").partition(_BEGIN)
    table, _, after = rest.partition(_END)
    return before, table, after
