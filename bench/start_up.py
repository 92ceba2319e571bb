"""How long a person waits: for `--help`, and for two clusters to answer."""

from collections.abc import Sequence

from bench.contest.options import Options
from bench.record import KFERRY, Measurement, time_calls, time_command
from kferry.sandbox import ClusterSpec, Sandbox


def run(_: Options) -> Sequence[Measurement]:
    measurements = [time_command("kferry --help", [KFERRY, "--help"], runs=10)]
    for version in ("4.3.1", "3.9.2", "2.8.2", "0.10.2.2"):
        spec = ClusterSpec(version=version)

        def up_and_down(spec: ClusterSpec = spec) -> None:
            with Sandbox.start(name="bench-start-up", source=spec, target=ClusterSpec()):
                pass

        measurements.append(
            time_calls(
                f"sandbox {version} → 4.3.1, up and down again",
                f"Sandbox.start(source={version}, target=4.3.1)",
                up_and_down,
                runs=3,
            )
        )
    return measurements
