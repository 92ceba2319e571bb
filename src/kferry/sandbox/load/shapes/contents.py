"""Records with unusual contents: headers, missing keys, missing and empty values.

Owns the shapes that are about what stands in a record. Null and empty are two things.
"""

import random
from collections.abc import Iterator

from kferry.sandbox.load.record import Header, Record, filled, numbered, time_of
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_EACH = 200


def _headers(bench: Workbench) -> None:
    bench.write(_with_headers(bench.dice()), codec="none")


def _with_headers(chance: random.Random) -> Iterator[Record]:
    """Take turns through all kinds; in the last, names and order repeat."""
    for number in range(_EACH):
        name = f"{number}".encode()
        kinds: tuple[tuple[Header, ...], ...] = (
            (),
            (("trace-id", chance.randbytes(16)),),
            (("null", None), ("empty", b"")),
            (("", b"a name of no letters"), ("名前", "値".encode())),
            (("retry", b"1"), ("retry", b"2"), ("other", b"x"), ("retry", b"1")),
            tuple((f"many-{one}", bytes([one])) for one in range(50)),
        )
        yield Record(
            partition=0,
            key=name,
            value=filled(chance, name, 50),
            timestamp=time_of(number),
            headers=kinds[number % len(kinds)],
        )


def _null_keys(bench: Workbench) -> None:
    bench.write(numbered(bench.dice(), partitions=2, each=_EACH, size=80, key=False))


def _null_and_empty(bench: Workbench) -> None:
    bench.write(_every_absence())


def _every_absence() -> Iterator[Record]:
    choices: tuple[bytes | None, ...] = (None, b"", b"something")
    for number in range(_EACH):
        yield Record(
            partition=0,
            key=choices[number % 3],
            value=choices[number // 3 % 3],
            timestamp=time_of(number),
        )


SHAPES = (
    Shape(
        name="headers",
        about="none, many, repeated, null, empty, binary and nameless headers",
        fill=_headers,
        topics=(Topic(name=f"{PREFIX}headers"),),
        since=(0, 11),
        limit="headers came with KIP-82",
    ),
    Shape(
        name="null-keys",
        about="records without keys",
        fill=_null_keys,
        topics=(Topic(name=f"{PREFIX}null-keys", partitions=2),),
    ),
    Shape(
        name="null-and-empty",
        about="null, empty and present keys and values in every combination",
        fill=_null_and_empty,
        topics=(Topic(name=f"{PREFIX}null-and-empty"),),
    ),
)
