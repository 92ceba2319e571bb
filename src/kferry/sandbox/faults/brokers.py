"""What may happen to a broker: death, sleep, a new start.

Owns the choice of the broker. What a broker is, the sandbox knows.
"""

from kferry.sandbox.broker import Broker
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.faults.errors import CannotBreakError


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
    cluster.wait_until_complete()
