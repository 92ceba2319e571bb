"""`kferry inspect` as scripts run it."""

import json
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from judge import client_config
from machine import kferry

from kferry.sandbox import Cluster

Side = dict[str, Any]


def admin_of(cluster: Cluster) -> AdminClient:
    """Return an official client; keep it: its futures die with it."""
    return AdminClient({**client_config(cluster.properties)})


def inspect(thing: str, where: Cluster | Path | str, *more: str) -> Side:
    """Look at one cluster, as its source; return the answer about it."""
    if thing == "topics" and "--rate-seconds" not in more:
        more = (*more, "--rate-seconds", "0")  # most tests do not care
    code, answer = inspect_sides(thing, *_named("source", where), *more)
    assert code == 0, answer
    side: Side = answer["source"]
    return side


def inspect_sides(thing: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return exit code and answer, which must be one object on one line."""
    done = kferry("inspect", thing, "--json", *arguments)
    assert done.stdout.count("\n") == 1, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, answer


def seen(thing: str, where: Cluster | Path | str, *more: str) -> str:
    """Return what people see, data and narration."""
    done = kferry("inspect", thing, *_named("source", where), *more)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        assert len(line) <= 100 or len(line.split()) == 1, line  # one word cannot be broken
    return done.stdout + done.stderr


def both(source: Cluster, target: Cluster) -> tuple[str, ...]:
    return (*_named("source", source), *_named("target", target))


def gaps(side: Side) -> dict[str, str]:
    """What was missing, and why."""
    return {gap["subject"]: gap["reason"] for gap in side["gaps"]}


def _named(side: str, where: Cluster | Path | str) -> tuple[str, str]:
    if isinstance(where, str):
        return f"--{side}", where
    return f"--{side}-config", str(where if isinstance(where, Path) else where.properties)
