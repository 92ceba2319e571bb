"""What is kept of a migration that has ended: its topics, and where each was switched over.

Owns the report's form. It holds names and offsets, no credentials.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kferry.migration.book import read_manifest, read_topics
from kferry.migration.maps import Documents
from kferry.migration.switching.book import ended_cutovers, read_switches


def final_report(migration: str, documents: Documents) -> dict[str, Any]:
    """Put it together from the ledger's documents."""
    manifest = read_manifest(documents)
    return {
        "migration": migration,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": manifest.source_id if manifest else "",
        "target": manifest.target_id if manifest else "",
        "topics": [
            {
                "topic": entry.source,
                "target": entry.target,
                "partitions": entry.partitions,
                "created": entry.created,
                "completed": not entry.suspended,
                "switched": entry.switched or None,
            }
            for _, entry in sorted(read_topics(documents).items())
        ],
        "switches": [
            {
                "topic": one.topic,
                "target": one.target,
                "at": one.at,
                "partitions": [
                    {
                        "partition": number,
                        "source_offset": end,
                        "target_offset": one.target_ends.get(number),
                    }
                    for number, end in sorted(one.source_ends.items())
                ],
            }
            for one in read_switches(documents)
        ],
        "cutovers": [
            {key: value for key, value in one.items() if key != "v"}
            for one in ended_cutovers(documents)
        ],
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write it whole or not at all; an older one is replaced."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
