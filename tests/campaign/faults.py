"""`make faults`: one copy killed a hundred times, judged every ten kills and in the end.

Owns the length of the ordeal and its summary. The short form is in `test_copy_kills`.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

# What breaks and judges copies lies with the tests that do it for short.
sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from killing import Ordeal, assert_mapped
from mixing import Mix

from kferry.sandbox import ClusterSpec, Sandbox
from kferry.sandbox.faults import restart

_FIRST, _EACH = 2_000, 120
_JUDGED_EVERY, _RESTARTED_EVERY = 10, 7
_FORGETFUL = {"producer.id.expiration.check.interval.ms": "1000"}


def main() -> None:
    """Run it, and say how it ended."""
    wanted = _arguments()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        os.environ["KFERRY_HOME"] = home
        with Sandbox.start(target=ClusterSpec(extra=_FORGETFUL)) as sandbox:
            mix = Mix(cluster=sandbox.source, prefix="faults", seed=wanted.seed)
            ordeal = Ordeal(sandbox=sandbox, mix=mix, rate=wanted.rate, say=_say)
            trouble = _run(ordeal, wanted.kills)
    _say(
        f"seed {wanted.seed}: {ordeal.kills} kills, {ordeal.settled} starts that had to compare, "
        f"{time.monotonic() - began:,.0f} s: {trouble or 'nothing lost, repeated or reordered'}"
    )
    sys.exit(1 if trouble else 0)


def _run(ordeal: Ordeal, kills: int) -> str:
    """Return what went wrong, if anything did."""
    mix, sandbox = ordeal.mix, ordeal.sandbox
    mix.create()
    mix.write(_FIRST)
    try:
        while ordeal.kills < kills:
            ordeal.kill_once()
            mix.write(_EACH)
            mix.clean()
            if ordeal.kills % _RESTARTED_EVERY == 0:
                restart(sandbox.target, sandbox.target.brokers[0].number)
            if ordeal.kills % _JUDGED_EVERY == 0 or ordeal.kills == kills:
                ordeal.judge(ordeal.finish())
                records = assert_mapped(sandbox, ordeal.migration, mix.topics)
                _say(f"after {ordeal.kills} kills {records:,} records are exact and mapped")
                mix.write(_FIRST)
    except AssertionError as error:
        return str(error) or repr(error)
    return ""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rate", default="250KiB/s")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
