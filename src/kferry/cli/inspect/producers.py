"""`kferry inspect producers`: open transactions first, then everybody who writes.

Owns how producers look.
"""

import time
from collections.abc import Iterable
from itertools import groupby

from kferry.cli.inspect.sides import Inspection, inspect, plain
from kferry.cli.options import Options
from kferry.cli.tables import Row, number, table, text
from kferry.cli.words import NOTHING, UNKNOWN, duration, moment, ranges
from kferry.errors import ExitCode
from kferry.names import TopicPartition
from kferry.topics import OpenTransaction, Producer, Producers, take_producers
from kferry.units import many

_OPEN = (
    text("transactional id"),
    number("producer"),
    number("epoch"),
    text("state"),
    number("open for"),
    text("partitions"),
)
_ACTIVE = (
    number("producer"),
    number("epoch"),
    text("transactional id"),
    text("last write (UTC)"),
    text("partitions"),
)


def producers(*, options: Options | None = None) -> ExitCode:
    """Open transactions, oldest first, and the producers that partitions remember."""
    options = options or Options()
    selection = options.selection
    return inspect(
        options,
        Inspection(
            name="producers",
            ask=lambda cluster: take_producers(cluster, selection),
            show=_show,
            as_json=lambda found: {"open": plain(found.open), "active": plain(found.active)},
            then="inspect configs",
            takes_topics=True,
        ),
    )


def _show(found: Producers) -> list[str]:
    lines: list[str] = []
    if found.open:
        lines += [*table(_OPEN, [_open(one) for one in found.open]), ""]
    if found.active:
        lines += [*table(_ACTIVE, [_active(one) for one in found.active]), ""]
    if not lines and found.gaps:
        return []  # what could not be asked for is not absent
    transactions = many(len(found.open), "open transaction")
    return [*lines, f"  {transactions}, {many(len(found.active), 'producer')} remembered"]


def _open(one: OpenTransaction) -> Row:
    age = UNKNOWN if one.started is None else duration(time.time() - one.started / 1000)
    state = "hanging" if one.hanging else one.state or UNKNOWN
    remarks = []
    if one.hanging:
        remarks.append(
            "no coordinator knows this transaction: it holds readers back until it is aborted, "
            "with kafka-transactions abort"
        )
    return Row(
        cells=(
            one.transactional_id or UNKNOWN,
            str(one.producer_id),
            str(one.epoch),
            state,
            age,
            places(one.partitions),
        ),
        remarks=remarks,
    )


def _active(one: Producer) -> Row:
    written = one.last_write_ms
    return Row(
        cells=(
            str(one.producer_id),
            str(one.epoch),
            one.transactional_id or NOTHING,
            UNKNOWN if written is None or written < 0 else moment(written),
            places(one.partitions),
        )
    )


def places(partitions: Iterable[TopicPartition]) -> str:
    """Name partitions by topic: `orders 0-3, payments 1`."""
    return "; ".join(
        f"{topic} {ranges(one.partition for one in group)}"
        for topic, group in groupby(sorted(partitions), key=lambda one: one.topic)
    )
