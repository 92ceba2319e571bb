"""One client of the live traffic: `client FOLDER/run.json`.

A program, run by `processes`. Owns what all clients have in common: where they find their cluster,
their journal and their reins. What they do is in `producing`, `transacting` and `consuming`.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from kferry.sandbox import layout_file
from kferry.sandbox.claim import Owner, owner
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.live.consuming import consume
from kferry.sandbox.live.instance import Order
from kferry.sandbox.live.job import Job
from kferry.sandbox.live.journal import Journal
from kferry.sandbox.live.producing import produce
from kferry.sandbox.live.reins import Reins, State
from kferry.sandbox.live.spec import Role
from kferry.sandbox.live.transacting import transact
from kferry.sandbox.load.confluent import client_settings

_WORK: Mapping[Role, Callable[[Job], None]] = {
    Role.PRODUCER: produce,
    Role.ROGUE: produce,
    Role.TRANSACTIONAL: transact,
    Role.CONSUMER: consume,
}


def main(file: Path) -> None:
    """Work until told to stop."""
    order = Order.load(file.parent)
    assert order is not None  # noqa: S101  # it is what we were started with
    run, cluster = order.run, Cluster(layout_file.load(order.cluster))
    sandbox = order.cluster.parent
    reins = Reins(
        folder=file.parent,
        state=State(run=run.number),
        orphaned=lambda: not file.exists() or owner(sandbox) is Owner.DEAD,
    )
    job = Job(
        spec=order.spec,
        run=run,
        settings={**client_settings(cluster), "client.id": run.client},
        version=cluster.version,
        next_numbers=order.next_numbers,
        journal=Journal(order.journals, run),
        reins=reins,
    )
    _WORK[run.role](job)
    job.journal.end()
    reins.tell(now=True, phase="stopped", partitions=())
    # A client library that still waits for a broker which is gone keeps nobody waiting.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
