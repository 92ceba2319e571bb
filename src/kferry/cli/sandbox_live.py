"""`kferry sandbox live …`: who writes and reads where, told to stop, start and move."""

import os
from collections.abc import Iterable
from typing import Annotated, Literal

from cyclopts import Parameter

from kferry.cli.console import answer, answer_json, say
from kferry.cli.tables import Row, number, table, text
from kferry.errors import UsageError
from kferry.sandbox import Live, Sandbox
from kferry.sandbox.live.instance import Instance
from kferry.sandbox.live.live import status_json
from kferry.units import many

Side = Literal["source", "target"]
Name = Annotated[str, Parameter(help="which sandbox")]
Prefix = Annotated[str, Parameter(help="which traffic: its topics and groups begin so")]
Json = Annotated[bool, Parameter(help="one JSON object on stdout", negative=())]
Producers = Annotated[
    tuple[str, ...],
    Parameter(help="by name, as `status` shows them", consume_multiple=True, negative=()),
]
Consumers = Annotated[
    tuple[str, ...],
    Parameter(help="groups, or single members", consume_multiple=True, negative=()),
]
AllProducers = Annotated[bool, Parameter(help="all but a rogue", negative=())]
AllConsumers = Annotated[bool, Parameter(help="all groups", negative=())]
On = Annotated[Side | None, Parameter(help="on this side only (without: wherever they run)")]

_DEFAULT = "default"
_PREFIX = "live"


def status(*, name: Name = _DEFAULT, prefix: Prefix = _PREFIX, json: Json = False) -> None:
    """Show every client: where it runs, and what it has done there."""
    live = _find(name, prefix)
    if json:
        answer_json(_json(live, live.instances))
    else:
        show(live)
    say(f"next: kferry sandbox judge{again(live)}")


def start(
    *,
    producers: Producers = (),
    consumers: Consumers = (),
    all_producers: AllProducers = False,
    all_consumers: AllConsumers = False,
    rogue: Annotated[
        bool, Parameter(help="a producer that no move and no stop of all reaches", negative=())
    ] = False,
    on: Annotated[
        Side | None, Parameter(help="where (without: where each was last, at first the source)")
    ] = None,
    name: Name = _DEFAULT,
    prefix: Prefix = _PREFIX,
    json: Json = False,
) -> None:
    """Start clients that do not run; a group may run on both sides. Returns when they work."""
    live = _find(name, prefix)
    chosen = _chosen(live, producers, consumers, all_producers, all_consumers)
    chosen += [live.spec.rogue.name] if rogue else []
    _done(live, live.start(_some(chosen), side=on), "started", json)


def stop(
    *,
    producers: Producers = (),
    consumers: Consumers = (),
    all_producers: AllProducers = False,
    all_consumers: AllConsumers = False,
    all_: Annotated[
        bool, Parameter(name="--all", help="everybody, rogues too", negative=())
    ] = False,
    on: On = None,
    name: Name = _DEFAULT,
    prefix: Prefix = _PREFIX,
    json: Json = False,
) -> None:
    """Stop clients: producers send what they hold, consumers commit what they have read."""
    live = _find(name, prefix)
    chosen = _chosen(live, producers, consumers, all_producers or all_, all_consumers or all_)
    chosen += [live.spec.rogue.name] if all_ else []
    _done(live, live.stop(_some(chosen), side=on), "stopped", json)


def move(
    *,
    to: Annotated[Side, Parameter(help="the side they shall work on")],
    producers: Producers = (),
    consumers: Consumers = (),
    all_producers: AllProducers = False,
    all_consumers: AllConsumers = False,
    name: Name = _DEFAULT,
    prefix: Prefix = _PREFIX,
    json: Json = False,
) -> None:
    """Stop clients on the other side and start them on this one. Returns when they work there."""
    live = _find(name, prefix)
    chosen = _chosen(live, producers, consumers, all_producers, all_consumers)
    _done(live, live.move(_some(chosen), to=to), f"moved to the {to}", json)


def pause(
    *,
    producers: Producers = (),
    consumers: Consumers = (),
    all_producers: AllProducers = False,
    all_consumers: AllConsumers = False,
    name: Name = _DEFAULT,
    prefix: Prefix = _PREFIX,
    json: Json = False,
) -> None:
    """Let clients run on and do nothing: producers are silent, consumers stay in their groups."""
    live = _find(name, prefix)
    chosen = _chosen(live, producers, consumers, all_producers, all_consumers)
    _done(live, live.pause(_some(chosen)), "paused", json)


def resume(
    *,
    producers: Producers = (),
    consumers: Consumers = (),
    all_producers: AllProducers = False,
    all_consumers: AllConsumers = False,
    name: Name = _DEFAULT,
    prefix: Prefix = _PREFIX,
    json: Json = False,
) -> None:
    """Let paused clients go on, and end transactions that were left open."""
    live = _find(name, prefix)
    chosen = _some(_chosen(live, producers, consumers, all_producers, all_consumers))
    _done(live, live.resume(chosen), "resumed", json)


def hang(
    *,
    producers: Annotated[
        tuple[str, ...],
        Parameter(help="transactional ones", consume_multiple=True, negative=()),
    ] = ("transactional-1",),
    name: Name = _DEFAULT,
    prefix: Prefix = _PREFIX,
    json: Json = False,
) -> None:
    """Let a transactional producer leave a transaction open, until `resume` or `stop`."""
    live = _find(name, prefix)
    _done(live, live.hang(producers), "left a transaction open", json)


def show(live: Live) -> None:
    """Show every client that runs or ran, one a line."""
    columns = (text("client"), text("side"), text("is"), number("records"), text("holds"))
    rows = []
    for one in live.instances:
        state = one.state
        remarks = [*state.faults, *([state.trouble] if state.trouble and one.running else [])]
        written = "" if one.client.role.writes else many(len(state.partitions), "partition")
        cells = (one.client.name, one.side, state.phase, f"{state.records:,}", written)
        rows.append(Row(cells=cells, remarks=remarks))
    for line in table(columns, rows):
        answer(line)


def again(live: Live) -> str:
    """Return the options that mean the same traffic in the next command."""
    name = "" if live.sandbox.name == _DEFAULT else f" --name {live.sandbox.name}"
    return name + ("" if live.spec.prefix == _PREFIX else f" --prefix {live.spec.prefix}")


def _find(name: str, prefix: str) -> Live:
    return Live.find(Sandbox.find(name), prefix, lasting=True)


def _chosen(
    live: Live,
    producers: Iterable[str],
    consumers: Iterable[str],
    all_producers: bool,
    all_consumers: bool,
) -> list[str]:
    found = [*producers, *consumers]
    found += live.producers if all_producers else ()
    found += live.groups if all_consumers else ()
    return found


def _some(names: list[str]) -> list[str]:
    if not names:
        raise UsageError(
            "nobody was named",
            "name producers, groups, or all of them",
            hint="--producers NAME… or --consumers GROUP… or --all-producers or --all-consumers; "
            "kferry sandbox live status lists them",
        )
    return names


def _done(live: Live, changed: list[Instance], what: str, as_json: bool) -> None:
    if as_json:
        answer_json(_json(live, changed))
    else:
        for one in changed:
            answer(f"  {one.client.name} {what}" + ("" if " " in what else f" on the {one.side}"))
    say(f"{many(len(changed), 'client')} {what}" if changed else "nothing to do: it is so already")
    if "KFERRY_STEP" not in os.environ:  # in a hook of a cutover nobody asks what comes next
        say(f"next: kferry sandbox {'live status' if live.running else 'judge'}{again(live)}")


def _json(live: Live, instances: Iterable[Instance]) -> dict[str, object]:
    return {
        "name": live.sandbox.name,
        "prefix": live.spec.prefix,
        "clients": [status_json(one) for one in instances],
    }
