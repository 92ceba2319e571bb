"""KRaft log directories, formatted as Kafka's own tool does it.

Owns the one step between settings and a first start. Knows nothing of running brokers.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from kferry.sandbox import java, learnt, locks
from kferry.sandbox.errors import CLEANED_UP, BootError
from kferry.sandbox.jars import class_path
from kferry.sandbox.layout import Layout, new_id
from kferry.sandbox.learnt import Use

_MAIN = "kafka.tools.StorageTool"


def format_nodes(layout: Layout, *, options: Sequence[str]) -> None:
    """Format every node's directory; `options` go to the tool as they are."""
    first, *others = layout.nodes
    command = java.command(
        _MAIN,
        "format",
        "--cluster-id",
        layout.cluster_id,
        "--config",
        str(first.settings),
        *options,
        class_path=class_path(locks.for_kafka(layout.spec.version)),
        heap_mb=128,
        log_level="WARN",
        quick_start=True,
        flags=learnt.flags(layout.spec.version, Use.TOOL),
    )
    _run(command, first.folder / "format")
    for node in others:
        # The tool takes a second for each node; the directories differ in two lines.
        shutil.copytree(first.data, node.data)
        _renumber(node.data / "meta.properties", node.number)


def _run(command: Sequence[str], arguments: Path) -> None:
    """Run Java with its arguments in a file: passwords among them do not show in process lists."""
    program, *rest = command
    arguments.touch(mode=0o600)
    arguments.write_text("\n".join(f'"{argument}"' for argument in rest), encoding="utf-8")
    done = subprocess.run([program, f"@{arguments}"], capture_output=True, text=True, check=False)
    arguments.unlink()
    if done.returncode:
        raise BootError(
            "Kafka's storage tool failed",
            (done.stdout + done.stderr).strip(),
            hint="kferry sandbox up again; with other extra settings if these were refused",
            changed=CLEANED_UP,
        )


def _renumber(meta: Path, number: int) -> None:
    text = meta.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^node\.id=.*$", f"node.id={number}", text)
    text = re.sub(r"(?m)^directory\.id=.*$", f"directory.id={new_id()}", text)
    meta.write_text(text, encoding="utf-8")
