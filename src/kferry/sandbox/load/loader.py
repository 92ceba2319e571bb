"""Loading shapes into a cluster.

Owns the order of things: everything is checked before anything is written, then some shapes are
filled at once, because most of the time each of them waits. Knows no shape by name.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from kferry.sandbox.cluster import Cluster
from kferry.sandbox.load import topics
from kferry.sandbox.load.confluent import KafkaException
from kferry.sandbox.load.errors import LoadError
from kferry.sandbox.load.journal import Journal
from kferry.sandbox.load.shape import Outcome, Release, Scale, Shape, Summary, release_of
from kferry.sandbox.load.workbench import Workbench
from kferry.sandbox.narration import Narrate, silent

_AT_ONCE = 6


def load(
    cluster: Cluster,
    shapes: Sequence[Shape],
    *,
    seed: int = 1,
    scale: Scale = Scale.SMALL,
    lasting: bool = False,
    narrate: Narrate = silent,
) -> Iterator[Summary]:
    """Put shapes into a cluster; tell of each as it is done.

    A shape that is there from an equal load stays as it is. `lasting`: consumers that some shapes
    leave behind live on when this process ends, until the sandbox is stopped.
    """
    release = release_of(cluster.version)
    able = [shape for shape in shapes if not shape.why_not(release)]
    journal = Journal.of(cluster, seed=seed, scale=scale)
    recalled = {shape.name: journal.recall(shape) for shape in able}
    fresh = [shape for shape in able if recalled[shape.name] is None]
    topics.refuse_taken(cluster, fresh)
    for shape in fresh:
        journal.begin(shape)
    topics.create(cluster, fresh)
    stop = threading.Event()
    fill = partial(
        _fill,
        journal,
        cluster=cluster,
        seed=seed,
        scale=scale,
        lasting=lasting,
        narrate=narrate,
        stop=stop,
    )
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        filling = {shape.name: pool.submit(fill, shape=shape) for shape in fresh}
        try:
            for shape in shapes:
                if shape.name in filling:
                    yield filling[shape.name].result()
                else:
                    yield recalled.get(shape.name) or _skipped(shape, release)
        finally:
            stop.set()  # after the last shape it means nothing to anybody
            for future in filling.values():
                future.cancel()


def _fill(journal: Journal, *, shape: Shape, **wishes: Any) -> Summary:
    bench = Workbench(shape=shape, **wishes)
    try:
        shape.fill(bench)
    except (KafkaException, TimeoutError) as error:
        raise LoadError(f"the shape {shape.name} could not be made", str(error)) from error
    summary = Summary(
        shape=shape.name,
        outcome=Outcome.LOADED,
        topics=tuple(topic.name for topic in shape.topics),
        groups=tuple(shape.groups),
        records=bench.records,
        note="; ".join(bench.notes),
    )
    journal.finish(shape, summary)
    return summary


def _skipped(shape: Shape, release: Release) -> Summary:
    return Summary(shape=shape.name, outcome=Outcome.SKIPPED, note=shape.why_not(release))
