"""`kferry sandbox load`: shapes of data into a sandbox, one line for each."""

import time
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from kferry.cli.console import answer, answer_json, say, styled
from kferry.cli.sandbox_load_live import LiveFlags, begin
from kferry.errors import ExitCode
from kferry.sandbox import Sandbox

if TYPE_CHECKING:
    from kferry.sandbox.load import Shape, Summary

_DEFAULT = "default"


def run(
    *,
    shape: Annotated[
        tuple[str, ...], Parameter(help="its name; may be repeated; none = all", negative=())
    ] = (),
    on: Annotated[Literal["source", "target"], Parameter(help="which cluster")] = "source",
    name: Annotated[str, Parameter(help="which sandbox")] = _DEFAULT,
    seed: Annotated[int, Parameter(help="the same seed makes the same records")] = 1,
    scale: Annotated[
        Literal["small", "full"], Parameter(help="full: some shapes hold a million records")
    ] = "small",
    list_: Annotated[
        bool, Parameter(name="--list", help="say what each shape is; load nothing", negative=())
    ] = False,
    live: LiveFlags | None = None,
    json: Annotated[bool, Parameter(help="one JSON object on stdout", negative=())] = False,
) -> ExitCode:
    """Fill a sandbox with every shape of data that real clusters hold.

    Each shape has topics of its own, called load-SHAPE. Loading the same again changes nothing;
    a shape that the cluster's version cannot hold is left out with the reason.
    """
    live = live or LiveFlags()
    if live.live:
        return begin(name, live, as_json=json)
    live.refuse_alone()
    # Imported here: `--help` must work without the client, which is in the `sandbox` extra.
    from kferry.sandbox.load import Scale, choose, load  # noqa: PLC0415

    shapes = choose(shape)
    if list_:
        _show_list(shapes, as_json=json)
        return ExitCode.DONE
    sandbox = Sandbox.find(name)
    cluster = sandbox.source if on == "source" else sandbox.target
    say(f"loading {len(shapes)} shapes into the {on} of {name}, Kafka {cluster.version}")
    began = time.monotonic()
    found: list[Summary] = []
    try:
        for summary in load(
            cluster, shapes, seed=seed, scale=Scale(scale), lasting=True, narrate=say
        ):
            found.append(summary)
            if not json:
                _show(summary)
    except KeyboardInterrupt:
        say("stopped: what is not listed above is half filled, and no load will take it for whole")
        say(f"next: kferry sandbox down --name {name}, then up and load again")
        return ExitCode.STOPPED_EARLY
    seconds = time.monotonic() - began
    records = sum(one.records for one in found)
    if json:
        shown = [one.as_json() for one in found]
        answer_json({"name": name, "side": on, "seed": seed, "scale": scale, "shapes": shown})
    say(f"{records:,} records are there after {seconds:.1f} s")
    say(f"next: kferry inspect topics --{on}-config {cluster.kferry_properties}")
    return ExitCode.DONE


def _show(summary: "Summary") -> None:
    marks = {"loaded": "ok", "there already": "dim", "skipped": "warning"}
    mark = styled(f"{summary.outcome:<13}", marks[summary.outcome])
    records = "" if summary.outcome == "skipped" else f"{summary.records:,}"
    answer(f"  {summary.shape:<23} {mark} {records:>9}  {summary.note}".rstrip())


def _show_list(shapes: "list[Shape]", *, as_json: bool) -> None:
    for shape in shapes:
        versions = shape.versions
        topics = [topic.name for topic in shape.topics]
        if as_json:
            answer_json(
                {
                    "shape": shape.name,
                    "about": shape.about,
                    "versions": versions,
                    "topics": topics,
                    "groups": list(shape.groups),
                }
            )
        else:
            answer(f"  {shape.name:<23} {versions:<11} {shape.about}")
    say("next: kferry sandbox load --shape NAME, or without --shape to load them all")
