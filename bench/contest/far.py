"""Runs a command with the target's broker behind a relay that delays every byte.

    python -m bench.contest.far --target FILE --milliseconds 20 -- COMMAND …

FILE is a Java client's properties file; the command gets `--target-config` with one that leads
through the relay. Half of the milliseconds lie on each way. Owns the detour.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import uvloop

from kferry.config import load_properties
from kferry.sandbox.faults import Relay, address_map_line


async def far(target: Path, plain: str, milliseconds: float, command: list[str]) -> int:
    """Run the command to its end; return its exit code."""
    (broker,) = load_properties(target).bootstrap
    async with Relay.to(broker) as relay:
        relay.slow(latency=milliseconds / 2000)
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as detour:
            detour.write(f"{plain}\n{address_map_line([relay])}\n")
            detour.flush()
            process = await asyncio.create_subprocess_exec(*command, "--target-config", detour.name)
            return await process.wait()


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--milliseconds", type=float, required=True)
    parser.add_argument("command", nargs="+")
    wanted = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(
            runner.run(
                far(wanted.target, wanted.target.read_text(), wanted.milliseconds, wanted.command)
            )
        )


if __name__ == "__main__":
    main()
