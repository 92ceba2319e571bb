"""What has been loaded into a cluster of a sandbox: a note in its folder for each shape.

Owns the notes, so that the same load twice is one load and another one is refused. They go away
with the sandbox. Asks no broker.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from kferry.sandbox.cluster import Cluster
from kferry.sandbox.load.errors import OtherLoadError
from kferry.sandbox.load.shape import Outcome, Scale, Shape, Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The notes of one cluster, seen by one load."""

    folder: Path
    seed: int
    scale: Scale

    @classmethod
    def of(cls, cluster: Cluster, *, seed: int, scale: Scale) -> "Journal":
        """Return the notes of `cluster`."""
        return cls(folder=cluster.layout.folder / "loaded", seed=seed, scale=scale)

    def recall(self, shape: Shape) -> Summary | None:
        """Return what this load has made of the shape; refuse if another one has made something."""
        try:
            note = json.loads(self._file(shape).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        if (note["seed"], note["scale"]) != (self.seed, self.scale) or not note["summary"]:
            raise other_load(shape, _history(note))
        found = note["summary"]
        return Summary(
            shape=shape.name,
            outcome=Outcome.THERE_ALREADY,
            topics=tuple(found["topics"]),
            groups=tuple(found["groups"]),
            records=found["records"],
            note=found["note"],
        )

    def begin(self, shape: Shape) -> None:
        """Note that the shape is being made: half of one must not pass for a whole one."""
        self.folder.mkdir(exist_ok=True)
        self._write(shape, None)

    def finish(self, shape: Shape, summary: Summary) -> None:
        """Note that it is there."""
        self._write(shape, summary)

    def _write(self, shape: Shape, summary: Summary | None) -> None:
        note = {
            "seed": self.seed,
            "scale": self.scale,
            "summary": summary.as_json() if summary else None,
        }
        self._file(shape).write_text(json.dumps(note), encoding="utf-8")

    def _file(self, shape: Shape) -> Path:
        return self.folder / f"{shape.name}.json"


def other_load(shape: Shape, history: str) -> OtherLoadError:
    """Return the error for a shape that something else stands in the place of."""
    return OtherLoadError(
        f"the shape {shape.name} cannot be loaded: its place is taken",
        history,
        hint="kferry sandbox load into another sandbox (--name), or kferry sandbox down and up",
    )


def _history(note: dict[str, object]) -> str:
    if not note["summary"]:
        return "an earlier load began to fill it and did not come to an end"
    return f"it was loaded with --seed {note['seed']} --scale {note['scale']}"
