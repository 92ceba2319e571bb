"""`kferry sandbox break …`: faults on command, and what a user sees of them."""

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Annotated, Literal

from cyclopts import Parameter

from kferry.cli.console import answer, answer_json, say
from kferry.config import load_properties
from kferry.errors import ExitCode, UsageError
from kferry.names import Address, PartitionId, TopicName, TopicPartition
from kferry.sandbox import Cluster, Sandbox
from kferry.sandbox.faults import Relay, Way, address_map_line, brokers, leaders
from kferry.sandbox.faults.typed import WORDS, obey

Name = Annotated[str, Parameter(help="which sandbox")]
On = Annotated[Literal["source", "target"], Parameter(help="which cluster")]
Broker = Annotated[int, Parameter(help="its number, from 1")]
Topic = Annotated[str, Parameter(help="its name")]
Partition = Annotated[int, Parameter(help="its number, from 0")]
Json = Annotated[bool, Parameter(help="one JSON object on stdout", negative=())]

_DEFAULT = "default"


def kill(*, on: On, broker: Broker = 1, name: Name = _DEFAULT, json: Json = False) -> None:
    """End a broker as a power cut would (SIGKILL)."""
    brokers.find(_cluster(name, on), broker).kill()
    _done(f"broker {broker} of the {on} is dead", json, broker=broker)
    say(f"next: kferry sandbox break restart --on {on} --broker {broker} --name {name}")


def pause(*, on: On, broker: Broker = 1, name: Name = _DEFAULT, json: Json = False) -> None:
    """Freeze a broker: its connections stay open, nothing is answered (SIGSTOP)."""
    brokers.find(_cluster(name, on), broker).pause()
    _done(f"broker {broker} of the {on} sleeps", json, broker=broker)
    say(f"next: kferry sandbox break resume --on {on} --broker {broker} --name {name}")


def resume(*, on: On, broker: Broker = 1, name: Name = _DEFAULT, json: Json = False) -> None:
    """Let a frozen broker go on."""
    brokers.find(_cluster(name, on), broker).resume()
    _done(f"broker {broker} of the {on} goes on", json, broker=broker)
    say(f"next: kferry sandbox status --name {name}")


def restart(*, on: On, broker: Broker = 1, name: Name = _DEFAULT, json: Json = False) -> None:
    """Stop a broker in good order, start it again, and wait until the cluster answers.

    A dead broker is started, a frozen one woken first.
    """
    brokers.restart(_cluster(name, on), broker, lasting=True)
    _done(f"broker {broker} of the {on} is back", json, broker=broker)
    say(f"next: kferry sandbox status --name {name}")


def move_leader(
    *,
    on: On,
    topic: Topic,
    partition: Partition = 0,
    to: Annotated[
        int | None, Parameter(help="the broker that is to lead; none = any other")
    ] = None,
    name: Name = _DEFAULT,
    json: Json = False,
) -> None:
    """Let another replica lead a partition. Takes three brokers, and Kafka 2.4 or newer."""
    place = TopicPartition(TopicName(topic), PartitionId(partition))
    former, leader = asyncio.run(leaders.move_leader(_cluster(name, on), place, to=to))
    said = f"broker {leader} leads {place}, broker {former} did"
    _done(said, json, topic=topic, partition=partition, former=former, leader=leader)
    say(f"next: {_inspect(name, on)}")


def recreate(*, on: On, topic: Topic, name: Name = _DEFAULT, json: Json = False) -> None:
    """Delete a topic and create it again: same name, partitions and settings, no records."""
    from kferry.sandbox.faults import topics  # noqa: PLC0415  # needs the `sandbox` extra

    asyncio.run(topics.recreate(_cluster(name, on), topic))
    _done(f"{topic} is another topic of the same name, and empty", json, topic=topic)
    say(f"next: {_inspect(name, on)}")


def trim(
    *,
    on: On,
    topic: Topic,
    partition: Partition = 0,
    before: Annotated[int, Parameter(help="the offset that is to be the first; -1: the end")] = -1,
    name: Name = _DEFAULT,
    json: Json = False,
) -> None:
    """Delete the oldest records of a partition, as retention does. Takes Kafka 0.11 or newer."""
    from kferry.sandbox.faults import topics  # noqa: PLC0415  # needs the `sandbox` extra

    start = topics.trim(_cluster(name, on), topic, partition, before=before)
    said = f"{topic}-{partition} starts at {start:,}"
    _done(said, json, topic=topic, partition=partition, start=start)
    say(f"next: {_inspect(name, on)}")


def relay(
    *,
    on: On,
    broker: Annotated[int | None, Parameter(help="its number; none = each gets a relay")] = None,
    bytes_per_second: Annotated[
        float | None, Parameter(help="how much passes, in each direction")
    ] = None,
    latency: Annotated[
        float, Parameter(help="seconds added to each byte, in each direction")
    ] = 0.0,
    reset_after: Annotated[
        int | None, Parameter(help="reset a connection after so many bytes of answers")
    ] = None,
    name: Name = _DEFAULT,
) -> ExitCode:
    """Stand between kferry and brokers, until Ctrl-C; faults may be typed while it runs.

    Put the line that it prints into the properties file that kferry is given.
    """
    cluster = _cluster(name, on)
    chosen = cluster.brokers if broker is None else (brokers.find(cluster, broker),)
    settings = load_properties(cluster.properties)
    addresses = [one for one in settings.bootstrap if one.port in {b.port for b in chosen}]

    def begin(made: Relay) -> None:
        made.slow(bytes_per_second=bytes_per_second, latency=latency)
        if reset_after is not None:
            made.reset_after(reset_after)

    asyncio.run(_relay(addresses, begin))
    return ExitCode.DONE


async def _relay(addresses: list[Address], begin: Callable[[Relay], None]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        relays = [await stack.enter_async_context(Relay.to(address)) for address in addresses]
        for made in relays:
            begin(made)
        answer(address_map_line(relays))
        say("relaying until Ctrl-C; put that line into kferry's properties file")
        say(f"or type a fault: {WORDS}")

        def typed(line: str) -> None:
            try:
                for made in relays:
                    obey(made, line)
            except UsageError as error:
                say(f"{error.title}; {error.hint}")

        # A daemon: nobody can interrupt a thread that waits for a line.
        threading.Thread(target=_read_lines, args=(loop, typed), daemon=True).start()
        await stop.wait()
        passed = sum(made.passed(way) for made in relays for way in Way)
        say(f"{sum(made.accepted for made in relays)} connections, {passed:,} bytes passed")


def _read_lines(loop: asyncio.AbstractEventLoop, typed: Callable[[str], None]) -> None:
    for line in sys.stdin:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(typed, line)


def _cluster(name: str, on: str) -> Cluster:
    sandbox = Sandbox.find(name)
    return sandbox.source if on == "source" else sandbox.target


def _done(said: str, as_json: bool, **facts: str | int) -> None:
    """Say what was done: as data where that was asked for."""
    if as_json:
        answer_json(facts)
    else:
        answer(said)


def _inspect(name: str, on: str) -> str:
    return f"kferry inspect topics --{on}-config {_cluster(name, on).kferry_properties}"
