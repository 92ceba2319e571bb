"""What a way back needs, in a file of this machine: it serves when the target is down.

Owns the file. It holds positions and names, no credentials, and is for its owner's eyes alone.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kferry.errors import ExitCode, KferryError

_VERSION = 1


class BadBundle(KferryError):
    """A file that is no undo bundle."""

    code = "K249"
    exit_code = ExitCode.USAGE


def write_bundle(path: Path, value: Mapping[str, Any]) -> None:
    """Write it whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"v": _VERSION, **value}, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_bundle(path: Path) -> dict[str, Any]:
    """Read it back."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadBundle(
            f"{path} cannot be read", str(error), hint="name the file that kferry cutover wrote"
        ) from None
    if not isinstance(value, dict) or value.get("v") != _VERSION:
        raise BadBundle(f"{path} is no undo bundle", hint="name the file that kferry cutover wrote")
    return value
