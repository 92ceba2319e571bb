"""`python -m bench [NAME …]`: run the named measurements, or all."""

import argparse
import importlib
import os
import pkgutil
import sys
from pathlib import Path

from bench.contest.options import Options
from bench.record import write_down

_TOOLS = {"__main__", "bare_fetch", "ceiling", "record", "table"}


def main() -> None:
    """Run and write down."""
    here = str(Path(__file__).parent)
    modules = (m for m in pkgutil.iter_modules([here]) if not m.ispkg)
    known = sorted({m.name for m in modules} - _TOOLS)
    wanted = _arguments(known)
    os.environ["KFERRY_COLD_JAVA"] = "1"  # peers start as they start at their users'
    options = Options(
        scale=wanted.scale,
        rounds=wanted.rounds,
        large=wanted.large,
        only=tuple(wanted.only.split(",")) if wanted.only else (),
        results=wanted.results,
    )
    if unknown := set(wanted.names) - set(known):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    for name in wanted.names or known:
        print(f"\n{name}", flush=True)
        write_down(name, importlib.import_module(f"bench.{name}").run(options), options)


def _arguments(known: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", epilog=f"known: {', '.join(known)}")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of each load, for trying")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="10 GB, too")
    parser.add_argument("--only", help="contenders: kferry,mm2,loop,kcat,ceiling")
    parser.add_argument("--results", type=Path, help="where to keep the JSON")
    return parser.parse_args()


main()
