"""A plan as commands of the official tools, for clusters where only others may create things.

Owns the script: addresses, order, what is to be done when the copy is complete. It holds no
password: there is a place for it to be filled in.
"""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kferry.access import PASSWORD, access_command
from kferry.access.rules import ACL
from kferry.cli.options import Options
from kferry.cli.tables import visible
from kferry.config import Protocol
from kferry.ledger import LEDGER_CONFIGS, ledger_topic
from kferry.plans import Item, Plan, in_order
from kferry.topics.applying import work_of
from kferry.topics.commands import Command, set_command, topic_commands
from kferry.topics.planning_items import TOPIC

if TYPE_CHECKING:
    from kferry.migration.planning import PlanRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What is to be run."""

    now: list[str]
    later: list[str]
    """When the copy is complete: what kferry did not make, it does not finish by itself."""


def commands(plan: Plan, request: "PlanRequest", options: Options) -> Commands:
    """Put a plan as command lines."""
    where = _where(request, options)
    now: list[Command] = []
    later: list[Command] = []
    for item in (item for step in in_order(plan.work) for item in sorted(step, key=_allows)):
        now += _of(item)
        if item.kind == TOPIC and (finish := work_of(item).finish):
            later.append(set_command(item.name, finish))
    if any(item.kind == TOPIC for item in plan.work):
        now.insert(0, _ledger(plan, request))
    return Commands(
        now=[f"{tool} {where} {rest}" for tool, rest in now],
        later=[f"{tool} {where} {rest}" for tool, rest in later],
    )


def script(plan: Plan, found: Commands) -> list[str]:
    """Put them as a script for a shell."""
    lines = [f"# {visible(plan.migration)}: for the target, cluster {visible(plan.target_id)}"]
    if not found.now:
        return [*lines, "# nothing is to be created or changed"]
    # Run as they stand, these would give users a password that everybody knows.
    to_fill = [line for line in found.now if f"password={PASSWORD}]" in line]
    lines += [line for line in found.now if line not in to_fill]
    if to_fill:
        lines += [
            "",
            f"# Put a password in the place of {PASSWORD} first, another one for each user.",
            *map(_comment, to_fill),
        ]
    if found.later:
        lines += [
            "",
            "# Only when the copy is complete: until then these topics keep everything they get.",
            *map(_comment, found.later),
        ]
    return lines


def _comment(line: str) -> str:
    """Switch a line off, all of it: a user's name may hold line ends."""
    return "\n".join(f"# {part}" for part in line.split("\n"))


def _where(request: "PlanRequest", options: Options) -> str:
    bootstrap = options.target or ",".join(map(str, request.target.bootstrap))
    words = f"--bootstrap-server {shlex.quote(bootstrap)}"
    if options.target_config is not None:
        return f"{words} --command-config {shlex.quote(str(options.target_config))}"
    plain = request.target.protocol is Protocol.PLAINTEXT
    return words if plain else f"{words} --command-config client.properties"


def _ledger(plan: Plan, request: "PlanRequest") -> Command:
    words = ["--create", "--if-not-exists", "--topic", ledger_topic(plan.migration)]
    words += ["--partitions", str(request.slots)]
    if request.replication is not None:
        words += ["--replication-factor", str(request.replication)]
    for name, value in LEDGER_CONFIGS.items():
        words += ["--config", f"{name}={value}"]
    return "kafka-topics", shlex.join(words)


def _allows(item: Item) -> tuple[int, bool]:
    """Put denials before what they restrict: at no moment shall more be allowed than in the end."""
    kinds = (TOPIC, ACL)
    place = kinds.index(item.kind) if item.kind in kinds else len(kinds)
    return place, item.kind == ACL and (item.work or {}).get("permission") == "allow"


def _of(item: Item) -> list[Command]:
    if item.kind == TOPIC:
        return topic_commands(work_of(item))
    command = access_command(item)
    return [] if command is None else [command]
