"""`kferry demo`: the whole story on two clusters of its own, narrated, and away again."""

import secrets
import time

from kferry.cli.check import look, show
from kferry.cli.console import answer_json, say
from kferry.cli.options import Options
from kferry.errors import ExitCode
from kferry.sandbox import ClusterSpec, Sandbox

_SOURCE_VERSION = "2.8.2"
"""Old enough to be what people move away from."""


def run(*, options: Options | None = None) -> ExitCode:
    """Start two real Kafka clusters, run the main job against them, and tidy up.

    So far the main job is the check. Nothing is left behind: no process, no folder.
    """
    options = options or Options()
    began = time.monotonic()
    say("kferry demo: two real Kafka clusters on this machine, and the check against them\n")
    with Sandbox.start(
        name=f"demo-{secrets.token_hex(3)}",
        source=ClusterSpec(version=_SOURCE_VERSION),
        target=ClusterSpec(),
        narrate=lambda sentence: say(f"  … {sentence}"),
    ) as sandbox:
        source, target = sandbox.source, sandbox.target
        say(f"  … both answer after {time.monotonic() - began:.1f} s\n")
        say(f"$ kferry check --source {source.bootstrap} --target {target.bootstrap}")
        report, request = look(Options(source=source.bootstrap, target=target.bootstrap))
        if options.json:
            answer_json({"ok": report.ok, "seconds": round(time.monotonic() - began, 1)})
        else:
            show(report, request, options)
        say("\n  … stopping both clusters")
    say("\nnext: `kferry sandbox up` gives you two clusters that stay; `kferry check --help`")
    return report.exit_code
