"""Live traffic of one sandbox: who writes and reads where, started, stopped and moved on command.

Owns the clients together: which there are and who is told what. What one client does is in its
process; what became of the records is judged from the journals.
"""

import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kferry.sandbox.live.accounts import next_numbers
from kferry.sandbox.live.errors import BadLiveError, LiveError, NoTrafficError
from kferry.sandbox.live.instance import Instance, Order
from kferry.sandbox.live.journal import Run
from kferry.sandbox.live.judging import LiveVerdict, judge
from kferry.sandbox.live.reins import State, Wishes
from kferry.sandbox.live.settling import stop, until_nothing, until_working
from kferry.sandbox.live.spec import Client, LiveSpec, Role
from kferry.sandbox.sandbox import SIDES, Sandbox
from kferry.units import some

_SPEC = "traffic.json"
_LOCK = "lock"
_COUNT = "runs"


class Live:
    """The live traffic of a sandbox with one prefix.

    Clients are named one by one (`producer-1`), groups as a whole (`live-group-1`).
    """

    def __init__(self, sandbox: Sandbox, spec: LiveSpec, *, lasting: bool) -> None:
        self.sandbox = sandbox
        self.spec = spec
        self.home = _home(sandbox, spec.prefix)
        self.journals = self.home / "journals"
        self._lasting = lasting
        self._clusters = {"source": sandbox.source, "target": sandbox.target}
        self._instances = {
            (client.name, side): Instance(self.home, client, side, self._clusters[side])
            for client in (*spec.clients, spec.rogue)
            for side in SIDES
        }

    @classmethod
    def begin(
        cls, sandbox: Sandbox, spec: LiveSpec | None = None, *, lasting: bool = False
    ) -> Self:
        """Make topics and groups on the source and start everybody there; return when all work.

        Unless the clients are to be `lasting`, they end with this process. Traffic that was there
        and was stopped goes on where it was.
        """
        live = cls(sandbox, spec or LiveSpec(), lasting=lasting)
        file = live.home / _SPEC
        if file.exists():
            live._insist_on_the_same(file)
        else:
            from kferry.sandbox.live.clusters import prepare  # noqa: PLC0415  # the client library

            prepare(sandbox.source, live.spec)
            live.journals.mkdir(parents=True)
            file.write_text(json.dumps(live.spec.as_json()), encoding="utf-8")
        live.start([*live.producers, *live.groups])
        return live

    @classmethod
    def find(cls, sandbox: Sandbox, prefix: str = "live", *, lasting: bool = False) -> Self:
        """Return the traffic that was started with this prefix."""
        file = _home(sandbox, prefix) / _SPEC
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            there = sorted(found.parent.name for found in sandbox.folder.glob(f"*/{_SPEC}"))
            names = some(name.removeprefix("traffic-") for name in there) or "none"
            raise NoTrafficError(
                f"sandbox {sandbox.name} has no live traffic with the prefix {prefix}",
                f"prefixes that were started: {names}",
                hint=f"kferry sandbox load --live --name {sandbox.name}",
            ) from None
        return cls(sandbox, LiveSpec.from_json(content), lasting=lasting)

    @property
    def producers(self) -> tuple[str, ...]:
        """The names of all producers but rogues."""
        return tuple(one.name for one in self.spec.clients if one.role.writes)

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of all groups."""
        return tuple(self.spec.group_topics)

    @property
    def running(self) -> tuple[Instance, ...]:
        """Whoever runs just now, on either side."""
        return tuple(one for one in self._instances.values() if one.running)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Whoever runs or ever ran, on either side."""
        return tuple(one for one in self._instances.values() if one.order is not None)

    def start(self, names: Iterable[str], *, side: str | None = None) -> list[Instance]:
        """Start clients where they were last, or on `side`; return when they really work there.

        Whoever runs there already is let be. A producer runs on one side at a time; a group may be
        started on both.
        """
        clients = self._clients(names)
        with self._alone():
            wanted = [self._at(one, side or self._last_side(one)) for one in clients]
            started = [one for one in wanted if not one.running]
            self._refuse_two_sides(started)
            self._start(started)
        return started

    def stop(self, names: Iterable[str], *, side: str | None = None) -> list[Instance]:
        """Stop clients, on one side or both; return when they have flushed or committed, and gone.

        A rogue is stopped if it is named.
        """
        clients = self._clients(names)
        with self._alone():
            wanted = [self._at(one, s) for one in clients for s in SIDES if side in (s, None)]
            return stop(wanted, sandbox=self.sandbox.name)

    def stop_all(self) -> list[Instance]:
        """Stop everybody, rogues too."""
        return self.stop([*self.producers, *self.groups, self.spec.rogue.name])

    def move(self, names: Iterable[str], *, to: str) -> list[Instance]:
        """Stop clients on the other side, then start them on `to`; return when they work there."""
        clients = self._clients(names)
        if rogues := [one.name for one in clients if one.role is Role.ROGUE]:
            raise BadLiveError(f"{rogues[0]} does not move: that is what it is for")
        with self._alone():
            there = [self._at(one, to) for one in clients]
            others = [self._at(one, side) for one in clients for side in SIDES if side != to]
            self._refuse_missing_topics(there)
            stop(others, sandbox=self.sandbox.name)
            started = [one for one in there if not one.running]
            self._start(started)
        return started

    def pause(self, names: Iterable[str]) -> list[Instance]:
        """Let clients do nothing until `resume`; consumers stay in their groups."""
        return self._wish(
            names,
            lambda one: one.wish(Wishes(paused=True)),
            lambda state: state.phase == "paused",
            "pause",
        )

    def hang(self, names: Iterable[str]) -> list[Instance]:
        """Let transactional producers leave a transaction open, with records in it."""
        for one in self._clients(names):
            if one.role is not Role.TRANSACTIONAL:
                raise BadLiveError(
                    f"{one.name} has no transactions",
                    hint="kferry sandbox live hang --producers transactional-1",
                )
        return self._wish(
            names,
            lambda one: one.wish(Wishes(hanging=True)),
            lambda state: state.phase == "hanging",
            "leave its transaction open",
        )

    def resume(self, names: Iterable[str]) -> list[Instance]:
        """Let paused and hanging clients go on."""
        return self._wish(
            names,
            lambda one: one.wish(Wishes()),
            lambda state: state.phase not in {"paused", "hanging"},
            "go on",
        )

    def kill(self, name: str, *, side: str = "source") -> None:
        """End one client as a power cut would (SIGKILL)."""
        (client,) = self._clients([name])
        self._at(client, side).process.kill()

    def judge(self, *, patience_s: float = 30.0) -> LiveVerdict:
        """Count from the journals, once every running group had time to read what was sent."""
        return judge(self.journals, self._alive, patience_s=patience_s)

    def end(self) -> None:
        """Kill whoever runs; what they have not finished is unknown."""
        for one in self.running:
            one.process.signal(signal.SIGKILL)
        for one in self._instances.values():
            one.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def _alive(self) -> set[int]:
        return {one.order.run.number for one in self.running if one.order}

    def _at(self, client: Client, side: str) -> Instance:
        if side not in SIDES:
            raise BadLiveError(f"there is no side {side}", f"there are: {', '.join(SIDES)}")
        return self._instances[client.name, side]

    def _clients(self, names: Iterable[str]) -> list[Client]:
        found: dict[str, Client] = {}
        known = (*self.spec.clients, self.spec.rogue)
        for name in names:
            own = [one for one in known if name in (one.name, one.group)]
            if not own:
                others = [*self.producers, self.spec.rogue.name, *self.groups]
                raise BadLiveError(
                    f"there is no client or group {name}",
                    f"there are: {', '.join(others)}",
                    hint=f"kferry sandbox live status --name {self.sandbox.name}",
                )
            found.update({one.name: one for one in own})
        return list(found.values())

    def _last_side(self, client: Client) -> str:
        orders = [self._at(client, side).order for side in SIDES]
        runs = [order.run for order in orders if order is not None]
        return max(runs, key=lambda run: run.number).side if runs else "source"

    def _refuse_two_sides(self, wanted: Sequence[Instance]) -> None:
        for one in wanted:
            for side in SIDES:
                other = self._at(one.client, side)
                if one.client.role.writes and side != one.side and other.running:
                    raise BadLiveError(
                        f"{one.client.name} runs on the {side}",
                        "a producer runs on one side at a time",
                        hint=f"kferry sandbox live move --producers {one.client.name} "
                        f"--to {one.side}",
                    )

    def _refuse_missing_topics(self, wanted: Sequence[Instance]) -> None:
        """A broker would make a topic of that name, with one partition: better say so."""
        for side in {one.side for one in wanted}:
            topics = {t for one in wanted if one.side == side for t in one.client.topics}
            if missing := sorted(topics - self._partitions(side).keys()):
                source, target = (self._clusters[one].kferry_properties for one in SIDES)
                raise LiveError(
                    f"the {side} has no {some(missing)}",
                    "clients start where all their topics are",
                    hint=f"kferry copy --source-config {source} --target-config {target} "
                    f"--topic '{self.spec.prefix}-*'",
                )

    def _partitions(self, side: str) -> dict[str, int]:
        from kferry.sandbox.live.clusters import partitions_of  # noqa: PLC0415  # client library

        return dict(partitions_of(self._clusters[side], self.spec.all_topics))

    def _start(self, wanted: Sequence[Instance]) -> None:
        self._refuse_missing_topics(wanted)
        for one in wanted:
            order = Order(
                spec=self.spec,
                run=self._run(one),
                cluster=one.cluster.layout.folder,
                journals=self.journals,
                next_numbers=self._next_numbers(one.client),
            )
            one.start(order, lasting=self._lasting)
        for side in {one.side for one in wanted}:
            readers = [one for one in self._instances.values() if one.client.group]
            until_working(
                [one for one in wanted if one.side == side],
                side,
                self._partitions(side),
                readers=[one for one in readers if one.side == side],
                sandbox=self.sandbox.name,
            )

    def _run(self, instance: Instance) -> Run:
        count = self.home / _COUNT
        number = int(count.read_text()) + 1 if count.exists() else 1
        count.write_text(str(number), encoding="ascii")
        return Run(
            client=instance.client.name,
            role=instance.client.role,
            group=instance.client.group,
            topics=instance.client.topics,
            side=instance.side,
            cluster_id=instance.cluster.cluster_id,
            number=number,
        )

    def _next_numbers(self, client: Client) -> dict[str, int]:
        if not client.role.writes:
            return {}
        orders = [order for side in SIDES if (order := self._at(client, side).order) is not None]
        if not orders:
            return {}
        last = max(orders, key=lambda order: order.run.number)
        return next_numbers(last.next_numbers, self.journals / last.run.file_name)

    def _wish(
        self,
        names: Iterable[str],
        tell: Callable[[Instance], None],
        done: Callable[[State], bool],
        what: str,
    ) -> list[Instance]:
        clients = {one.name for one in self._clients(names)}
        wanted = [one for one in self.running if one.client.name in clients]
        for one in wanted:
            tell(one)

        def missing() -> str:
            late = [one.client.name for one in wanted if not done(one.state)]
            return f"{some(late)} did not {what}" if late else ""

        until_nothing(missing, wanted, "while it was told something", sandbox=self.sandbox.name)
        return wanted

    def _insist_on_the_same(self, file: Path) -> None:
        if LiveSpec.from_json(json.loads(file.read_text(encoding="utf-8"))) != self.spec:
            raise BadLiveError(
                f"there is other live traffic with the prefix {self.spec.prefix}",
                "it was started with other numbers or settings",
                hint="the same command as then goes on with it; --prefix other starts new traffic",
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let other commands wait while clients are started and stopped."""
        file = os.open(self.home / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def _home(sandbox: Sandbox, prefix: str) -> Path:
    # Two levels above the folder of a process, where whoever stops the sandbox looks for them.
    return sandbox.folder / f"traffic-{prefix}"


def status_json(instance: Instance) -> dict[str, Any]:
    """Return what scripts get of one client on one side."""
    state = instance.state
    return {
        "client": instance.client.name,
        "role": instance.client.role,
        "group": instance.client.group,
        "side": instance.side,
        "pid": instance.process.pid,
        **state.as_json(),
    }
