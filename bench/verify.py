"""`kferry verify` of 5 M records of 100 B, lz4, beside a bare fetch of the same bytes."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contest import loads
from bench.contest.options import Options
from bench.contest.results import Ratio, Result, contender
from bench.contest.usage import Measured
from kferry.sandbox import Sandbox

_TOPIC = "bench"
_MB = 1_000_000
_TICK_S = 0.01
_RECIPE = loads.Recipe(
    what="5 M of 100 B, lz4, 64 KiB batches",
    records=5_000_000,
    make=loads.noise(8, 92),
    batch_bytes=64 << 10,
    codec="lz4",
)


def run(options: Options) -> Sequence[Result]:
    recipe = _RECIPE.scaled(options)
    with (
        Sandbox.start(name=f"bench-{os.getpid()}") as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        sides = [
            "--source-config",
            str(sandbox.source.properties),
            "--target-config",
            str(sandbox.target.properties),
        ]
        kferry = [sys.executable, "-m", "kferry"]
        loads.fill(sandbox.source, _TOPIC, recipe)
        out = Path(folder) / "out"
        copy = [*kferry, "copy", *sides, "--topic", _TOPIC, "--until-caught-up", "--json"]
        _measured(copy, out)
        fetch = [sys.executable, "-m", "bench.bare_fetch", "--topic", _TOPIC, "--cluster"]
        verify = [*kferry, "verify", *sides, "--json"]
        programs = {
            "bare fetch of the target": [*fetch, str(sandbox.target.properties)],
            "verify, target alone": verify,
            "verify --both": [*verify, "--both"],
            "verify --level records": [*verify, "--level", "records"],
        }
        runs: dict[str, list[Mapping[str, float]]] = {name: [] for name in programs}
        for number in range(options.rounds + 1):
            for name, command in programs.items():
                found = _measured(command, out)
                if number:  # the first round warms both brokers up
                    runs[name].append(found)
                    print(f"  {contender(name, '', [found]).line()}", flush=True)
    shown = {"bare fetch of the target": "python -m bench.bare_fetch"}
    results = [
        contender(name, shown.get(name, f"kferry {name.partition(',')[0]}"), own)
        for name, own in runs.items()
    ]
    bare, alone, both, _ = results
    return [*results, *_ratios(bare.medians, alone.medians, both.medians)]


def _ratios(
    bare: Mapping[str, float], alone: Mapping[str, float], both: Mapping[str, float]
) -> list[Ratio]:
    return [
        Ratio(
            what="bytes/s of verify, target alone, against a bare fetch",
            value=alone["mb_per_s"] / bare["mb_per_s"],
            at_least=0.8,
        ),
        Ratio(
            what="bytes/s of verify --both, against a bare fetch",
            value=both["mb_per_s"] / bare["mb_per_s"],
        ),
        Ratio(what="memory of verify, MB", value=max(alone["memory"], both["memory"]), at_most=100),
    ]


def _measured(command: Sequence[str], out: Path) -> Mapping[str, float]:
    with Measured(command, output=out) as running:
        while (usage := running.look()) is None:
            time.sleep(_TICK_S)
    if usage.exit_code:
        raise RuntimeError(f"{command} ended with {usage.exit_code}: {running.output}")
    last = json.loads(out.read_text().splitlines()[-1])
    size = last.get("bytes_read", last.get("bytes", 0))
    return {
        "seconds": last["seconds"],
        "mb_per_s": size / _MB / last["seconds"],
        "cpu": usage.cpu_seconds,
        "memory": usage.memory_mb,
    }
