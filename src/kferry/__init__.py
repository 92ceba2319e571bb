"""kferry moves live Kafka workloads from one cluster to another, exactly, and proves it."""

from typing import TYPE_CHECKING, Any

from kferry.asleep import leave_asleep

if TYPE_CHECKING:
    from kferry.dualwrite import DualProducer

__all__ = ["DualProducer"]
__version__ = "0.1.0"

leave_asleep("kafka", "aiokafka")


def __getattr__(name: str) -> Any:
    """Fetch what applications import from here, when they do: commands must not wait for it."""
    if name != "DualProducer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kferry.dualwrite import DualProducer  # noqa: PLC0415  # see above

    return DualProducer
