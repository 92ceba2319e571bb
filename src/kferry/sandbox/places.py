"""Where things lie on this machine: the cache of jars, the folder of each sandbox.

Owns the rules for folders and names. Creates nothing.
"""

import os
import re
from pathlib import Path

from kferry.sandbox.errors import NOTHING_RUNS, BadSpecError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def cache_folder() -> Path:
    """Return the folder for what can be fetched again."""
    if given := os.environ.get("KFERRY_CACHE"):
        return Path(given).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kferry"


def sandboxes_folder() -> Path:
    """Return the folder that holds a folder for each sandbox."""
    if given := os.environ.get("KFERRY_HOME"):
        return Path(given).absolute() / "sandbox"
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "kferry" / "sandbox"


def sandbox_folder(name: str) -> Path:
    """Return the folder of the sandbox called `name`; refuse names that could lead elsewhere."""
    if not _NAME.fullmatch(name):
        raise BadSpecError(
            f"a sandbox cannot be called {name!r}",
            "up to 40 lower-case letters, digits and dashes, a letter or digit at both ends",
            hint="kferry sandbox up --name my-sandbox",
            changed=NOTHING_RUNS,
        )
    return sandboxes_folder() / name
