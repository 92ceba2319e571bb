"""Runs kferry in this process and keeps count of what it asks, kind by kind.

    python -m bench.contest.counted --into FILE -- plan --source …

FILE gets a JSON object: requests by the protocol's name. Owns the count; changes nothing else: it
costs one addition per request.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kferry.cli.main import run
from kferry.wire.connection import Connection


def counted(submit: Callable[..., Any], into: Counter[str]) -> Callable[..., Any]:
    """Return the one way onto a connection, with a count."""

    def submit_and_count(*given: Any, api: str, **more: Any) -> Any:
        into[api] += 1
        return submit(*given, api=api, **more)

    return submit_and_count


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("arguments", nargs="+")
    wanted = parser.parse_args()
    requests: Counter[str] = Counter()
    Connection.submit = counted(Connection.submit, requests)  # type: ignore[method-assign]
    code = run(wanted.arguments)
    wanted.into.write_text(json.dumps(requests))
    sys.exit(code)


if __name__ == "__main__":
    main()
