"""`kferry sandbox prepare | up | status | run | down`: two real clusters, and Kafka's own tools."""

import os
import shlex
import sys
import time
from typing import Annotated, Literal

from cyclopts import Parameter

from kferry.cli.console import WIDTH, answer, answer_json, say
from kferry.errors import ExitCode
from kferry.sandbox import (
    Cluster,
    ClusterSpec,
    Sandbox,
    Security,
    State,
    Status,
    look_at,
    look_at_all,
    stop,
    tool_command,
    versions,
)

Name = Annotated[str, Parameter(help="which sandbox: several may run side by side")]
Json = Annotated[bool, Parameter(help="one JSON object a line on stdout", negative=())]


def up(
    *,
    name: Name = "default",
    source_version: Annotated[str, Parameter(help="the source's Kafka")] = versions.NEWEST,
    target_version: Annotated[str, Parameter(help="the target's Kafka")] = versions.NEWEST,
    brokers: Annotated[Literal[1, 3], Parameter(help="of each cluster")] = 1,
    security: Annotated[
        Literal["plaintext", "ssl", "sasl_ssl"], Parameter(help="how clients connect")
    ] = "plaintext",
    broker_defaults: Annotated[
        bool,
        Parameter(help="leave settings as brokers have them; else they are quick", negative=()),
    ] = False,
    json: Json = False,
) -> None:
    """Start two clusters of real brokers and return when both answer. They run until `down`."""
    source, target = (
        ClusterSpec(
            version=version,
            brokers=brokers,
            security=Security(security),
            broker_defaults=broker_defaults,
        )
        for version in (source_version, target_version)
    )
    started = time.monotonic()
    Sandbox.start(name=name, source=source, target=target, narrate=say).detach()
    say(f"both answer after {time.monotonic() - started:.1f} s")
    found = look_at(name)
    if json:
        answer_json(found.as_json())
    else:
        _show(found)
        say(f"next: {_check(found)}")


def prepare(
    *,
    version: Annotated[str, Parameter(help="which Kafka")] = versions.NEWEST,
) -> None:
    """Fetch Kafka's jars and let Java learn its classes; a second run has nothing to do."""
    from kferry.sandbox.preparing import prepare as make_ready  # noqa: PLC0415  # boots a broker

    versions.find(version)
    make_ready(version, narrate=say)
    say(f"Kafka {version} is ready\nnext: kferry sandbox up")


def status(*, name: str | None = None, json: Json = False) -> None:
    """Show one sandbox, or all of this machine."""
    found = look_at_all() if name is None else [look_at(name)]
    for one in found:
        if json:
            answer_json(one.as_json())
        else:
            _show(one)
    if not found:
        say("no sandbox is there")
    say(_next(found))


def run(
    cls: Annotated[str, Parameter(help="a class with a main method")],
    /,
    *args: Annotated[str, Parameter(help="what it is given, as it is")],
    on: Annotated[Literal["source", "target"], Parameter(help="whose jars")],
    name: Name = "default",
) -> None:
    """Run a class of a cluster's own Kafka jars, say org.apache.kafka.tools.TopicCommand.

    This process becomes Java: directory, environment, input, output and exit code are those of the
    class. KAFKA_HEAP_OPTS and KAFKA_OPTS mean what they mean to Kafka's scripts.
    """
    sandbox = Sandbox.find(name)
    command = tool_command(sandbox.source if on == "source" else sandbox.target, cls, *args)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  # a shell would read the arguments again


def down(*, name: Name = "default", json: Json = False) -> ExitCode:
    """Stop both clusters and remove all they have written, in whatever state they are."""
    stop(name)
    if json:
        answer_json({"name": name})
    say(f"sandbox {name} is gone\nnext: kferry sandbox up starts a new one")
    return ExitCode.DONE


def _show(found: Status) -> None:
    answer(f"sandbox {found.name}: {found.state}")
    for side, cluster in found.clusters.items():
        spec = cluster.layout.spec
        dead = [str(broker.number) for broker in cluster.brokers if not broker.running]
        answer(f"  {side}  Kafka {spec.version}  {spec.security}  {cluster.bootstrap}")
        answer(f"          {cluster.properties}")
        if dead:
            answer(f"          not running: broker {', '.join(dead)}; see {_log_of(cluster, dead)}")


def _log_of(cluster: Cluster, dead: list[str]) -> str:
    return str(next(broker.log for broker in cluster.brokers if str(broker.number) in dead))


def _check(found: Status) -> str:
    """Return the command that looks at both, over several lines where one would be too long."""
    options = [_option(side, cluster) for side, cluster in found.clusters.items()]
    line = " ".join(["kferry check", *options])
    return line if len(line) < WIDTH - 6 else " \\\n  ".join(["kferry check", *options])


def _option(side: str, cluster: Cluster) -> str:
    if cluster.layout.spec.security is Security.PLAINTEXT:
        return f"--{side} {cluster.bootstrap}"
    return f"--{side}-config {shlex.quote(str(cluster.kferry_properties))}"


def _next(found: list[Status]) -> str:
    if not found:
        return "next: kferry sandbox up"
    first = found[0]
    if first.state is State.RUNNING:
        return f"next: {_check(first)}"
    return f"next: kferry sandbox down --name {first.name}"
