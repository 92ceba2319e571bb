"""`python -m bench [NAME …]`: run the named measurements, or all."""

import importlib
import pkgutil
import sys
from pathlib import Path

from bench.record import write_down

_TOOLS = {"__main__", "record"}


def main() -> None:
    """Run and write down."""
    here = str(Path(__file__).parent)
    known = sorted({m.name for m in pkgutil.iter_modules([here])} - _TOOLS)
    wanted = sys.argv[1:] or known
    if unknown := set(wanted) - set(known):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    for name in wanted:
        print(f"\n{name}")
        write_down(name, importlib.import_module(f"bench.{name}").run())


main()
