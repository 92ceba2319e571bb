"""`kferry demo`: the whole story on two clusters of its own, narrated, and away again."""

import secrets
import time

from kferry.cli.check import look, show
from kferry.cli.console import answer_json, say
from kferry.cli.inspect.topics import topics
from kferry.cli.options import Options
from kferry.errors import ExitCode
from kferry.sandbox import Cluster, ClusterSpec, Sandbox
from kferry.sandbox.load import Scale, choose, load

_SOURCE_VERSION = "2.8.2"
"""Old enough to be what people move away from."""
_SHAPES = ("json-lz4", "compacted", "transactions", "groups")


def run(*, options: Options | None = None) -> ExitCode:
    """Start two real Kafka clusters, fill one, run the main job against them, and tidy up.

    So far the main job is the check. Nothing is left behind: no process, no folder.
    """
    options = options or Options()
    began = time.monotonic()
    say("kferry demo: two real Kafka clusters on this machine, and kferry's eyes on them\n")
    with Sandbox.start(
        name=f"demo-{secrets.token_hex(3)}",
        source=ClusterSpec(version=_SOURCE_VERSION),
        target=ClusterSpec(),
        narrate=_whisper,
    ) as sandbox:
        source, target = sandbox.source.bootstrap, sandbox.target.bootstrap
        _whisper(f"both answer after {time.monotonic() - began:.1f} s")
        records = _fill(sandbox.source)
        both = Options(source=source, target=target)
        if not options.json:
            say(f"\n$ kferry inspect topics --source {source}")
            topics(options=Options(source=source), rate_seconds=0)
        say(f"\n$ kferry check --source {source} --target {target}")
        report, request = look(both)
        if not options.json:
            show(report, request, options)
        say()
        _whisper("stopping both clusters")
    seconds = time.monotonic() - began
    if options.json:
        answer_json({"ok": report.ok, "records": records, "seconds": round(seconds, 1)})
    say(f"\nthat took {seconds:.0f} s")
    say("next: `kferry sandbox up` gives you two clusters that stay; `kferry check --help`")
    return report.exit_code


def _fill(cluster: Cluster) -> int:
    shapes = choose(_SHAPES)
    _whisper(f"filling the source: {', '.join(_SHAPES)}")
    return sum(one.records for one in load(cluster, shapes, seed=1, scale=Scale.SMALL))


def _whisper(sentence: str) -> None:
    say(f"  … {sentence}")
