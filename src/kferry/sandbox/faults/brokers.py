"""What may happen to a broker: death, sleep, a new start.

Owns the choice of the broker and the wait for its return. What a broker is, the sandbox knows.
"""

import time

from kferry.sandbox.broker import Broker
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.faults.errors import CannotBreakError, NotBackError

_PATIENCE_S = 90.0
_TICK_S = 0.05


def find(cluster: Cluster, number: int) -> Broker:
    """Return the broker of this number."""
    for broker in cluster.brokers:
        if broker.number == number:
            return broker
    there = ", ".join(str(broker.number) for broker in cluster.brokers)
    raise CannotBreakError(
        f"there is no broker {number}", f"there are: {there}", hint="kferry sandbox status"
    )


def restart(cluster: Cluster, number: int, *, lasting: bool = False) -> None:
    """Stop a broker as an administrator does, start it again, and wait until all answer.

    A dead one is started, a sleeping one woken first. `lasting`: it outlives this process.
    """
    broker = find(cluster, number)
    broker.resume()
    broker.stop()
    broker.start()
    if lasting:
        broker.process.release()
    wait_until_back(cluster)


def wait_until_back(cluster: Cluster) -> None:
    """Wait until every broker of the cluster answers."""
    deadline = time.monotonic() + _PATIENCE_S
    while missing := cluster.what_is_missing():
        if time.monotonic() > deadline:
            raise NotBackError(
                f"the cluster does not answer in full after {_PATIENCE_S:.0f} s",
                missing,
                hint="kferry sandbox status names the brokers' logs",
                changed="The broker was started.",
            )
        time.sleep(_TICK_S)
