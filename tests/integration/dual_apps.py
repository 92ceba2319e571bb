"""Applications that write both sides and consume, as a company has them: processes and journals.

    python dual_apps.py write FOLDER NAME      a producer, until it is told to end
    python dual_apps.py read FOLDER NAME       a consumer, likewise
    python dual_apps.py DO FOLDER ON           what a hook is told: stop-consumers, move-producers …

Owns the processes and their journals; what is in the folder says where everything is. Shares no
code with kferry but the producer that is tested.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer

from kferry import DualProducer

_HERE = str(Path(__file__))
_ENDS_S = 30.0


def write(folder: Path, name: str) -> None:
    """Write a numbered record every few milliseconds; a line for each that is acknowledged."""
    plan = _plan(folder)
    mode = plan["producers"][name]
    out = _journal(folder, f"sent-{name}")
    ended = _told_to_end()

    def reported(error: KafkaError | None, report: Any) -> None:
        if error is None:
            os.write(out, report.value() + b"\n")

    sides = {"bootstrap.servers": plan["source"]}, {"bootstrap.servers": plan["target"]}
    source, target = ({**side, "linger.ms": 2} for side in sides)
    producer: Any
    if mode == "both":
        maps = folder / "maps" / f"{name}.map"
        producer = DualProducer(source, secondary=target, map_file=maps)
    elif mode == "turned":
        maps = folder / "maps" / f"{name}-turned.map"
        producer = DualProducer(target, secondary=source, map_file=maps)
    else:
        producer = Producer(
            {**(target if mode == "target" else source), "enable.idempotence": True}
        )
    number = 0
    while not ended:
        key = f"{name}-{number % 5}"
        producer.produce(
            plan["topic"], f"{os.getpid()}-{number}", key, partition=number % plan["written"],
            on_delivery=reported,
        )  # fmt: skip
        producer.poll(plan["every_s"])
        number += 1
    producer.flush()
    if mode in {"both", "turned"}:
        producer.close()


def read(folder: Path, name: str) -> None:
    """Consume, commit what was read, and leave the group in order."""
    plan = _plan(folder)
    out = _journal(folder, f"seen-{name}")
    ended = _told_to_end()
    consumer = Consumer(
        {
            "bootstrap.servers": plan[plan["consumers"]],
            "group.id": f"{plan['topic']}-{name}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([plan["topic"]])
    while not ended:
        messages = [one for one in consumer.consume(200, 0.1) if one.error() is None]
        if messages:
            os.write(out, b"".join((one.value() or b"") + b"\n" for one in messages))
            consumer.commit(asynchronous=False)
    consumer.close()


def act(folder: Path, do: str, on: str) -> None:
    """Do what a hook is told."""
    apps = Apps(folder)
    # The hook of a walk that was killed may still be at it.
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    match do:
        case "stop-consumers":
            apps.stop("read")
        case "start-consumers":
            apps.change(consumers=on)
            apps.start("read")
            if on == "target":
                _write_alone(apps.plan)
        case "move-producers":
            apps.stop("write")
            mode = apps.plan["release"]
            apps.change(producers=dict.fromkeys(apps.plan["producers"], mode))
            apps.start("write")
        case _:
            sys.exit(f"{do} is not known here")


def _write_alone(plan: dict[str, Any]) -> None:
    """Write to the source alone, as somebody does whom nobody had thought of."""
    producer = Producer({"bootstrap.servers": plan["source"], "enable.idempotence": True})
    for number in range(plan.get("rogue", 0)):
        producer.produce(plan["topic"], f"rogue-late{number}", partition=plan["partitions"] - 1)
    producer.flush()


@dataclass(frozen=True, slots=True)
class Apps:
    """The applications of one folder."""

    folder: Path

    @property
    def plan(self) -> dict[str, Any]:
        return _plan(self.folder)

    @property
    def maps(self) -> Path:
        return self.folder / "maps"

    @property
    def topic(self) -> str:
        return str(self.plan["topic"])

    @classmethod
    def begin(cls, folder: Path, **plan: Any) -> "Apps":
        (folder / "maps").mkdir(parents=True)
        (folder / "hooks").mkdir()
        (folder / "plan.json").write_text(json.dumps(plan))
        script = folder / "hooks" / "all"
        script.write_text(
            f'#!/bin/sh\nexec {sys.executable} {_HERE} "$KFERRY_DO" {folder} "$KFERRY_ON"\n'
        )
        script.chmod(0o755)
        for hook in ("on-consumers-stop", "on-consumers-start", "on-handover", "on-rollback"):
            (script.parent / hook).symlink_to("all")
        apps = cls(folder)
        apps.start("write")
        apps.start("read")
        return apps

    def change(self, **changes: Any) -> None:
        beside = self.folder / "plan.new"
        beside.write_text(json.dumps({**self.plan, **changes}))
        beside.replace(self.folder / "plan.json")

    def start(self, role: str, *names: str) -> None:
        """Start those that do not run; a hook may be called again."""
        plan = self.plan
        for name in names or plan["producers" if role == "write" else "groups"]:
            if self.alive(role, name):
                continue
            with (self.folder / f"{role}-{name}.log").open("ab") as log:
                child = subprocess.Popen(
                    [sys.executable, _HERE, role, str(self.folder), name],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._pid(role, name).write_text(str(child.pid))
            child.returncode = 0  # it outlives whoever started it, and is known by its id

    def stop(self, role: str, *names: str, how: signal.Signals = signal.SIGTERM) -> None:
        plan = self.plan
        chosen = names or tuple(plan["producers" if role == "write" else "groups"])
        for name in chosen:
            if self.alive(role, name):
                os.kill(int(self._pid(role, name).read_text()), how)
        deadline = time.monotonic() + _ENDS_S
        while any(self.alive(role, name) for name in chosen):
            assert time.monotonic() < deadline, f"{role} does not end"
            time.sleep(0.05)

    def alive(self, role: str, name: str) -> bool:
        file = self._pid(role, name)
        if not file.exists():
            return False
        pid = int(file.read_text())
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        stat = Path(f"/proc/{pid}/stat")
        with suppress(OSError):
            return stat.read_text().rpartition(")")[2].split()[0] != "Z"
        return False

    def end(self) -> None:
        for role in ("write", "read"):
            self.stop(role, how=signal.SIGKILL)

    def sent(self) -> list[str]:
        return [line for name in self.plan["producers"] for line in self._lines(f"sent-{name}")]

    def seen(self, group: str) -> list[str]:
        return self._lines(f"seen-{group}")

    def lost(self, group: str) -> set[str]:
        return set(self.sent()) - set(self.seen(group))

    def repeated(self, group: str) -> int:
        return sum(count - 1 for count in Counter(self.seen(group)).values())

    def reordered(self, group: str) -> int:
        """Count records that came before an earlier one of the same writer and partition."""
        last: dict[tuple[str, int], int] = {}
        wrong = 0
        for value in self.seen(group):
            pid, _, text = value.partition("-")
            number = int(text)
            place = pid, number % int(self.plan["written"])
            wrong += number < last.get(place, -1)
            last[place] = number
        return wrong

    def _lines(self, name: str) -> list[str]:
        path = self.folder / f"{name}.journal"
        return path.read_text().split() if path.exists() else []

    def _pid(self, role: str, name: str) -> Path:
        return self.folder / f"{role}-{name}.pid"


def _plan(folder: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())
    return plan


def _journal(folder: Path, name: str) -> int:
    return os.open(folder / f"{name}.journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def _told_to_end() -> list[int]:
    """Return a list that is no longer empty once somebody said so."""
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    return told


if __name__ == "__main__":
    what, where, whom = sys.argv[1:]
    if what in {"write", "read"}:
        {"write": write, "read": read}[what](Path(where), whom)
    else:
        act(Path(where), what, whom)
