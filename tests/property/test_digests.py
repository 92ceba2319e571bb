"""Digests taken while copying are of what was acknowledged, through doubts and kills."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kferry.copying import digests as module
from kferry.copying.digests import Digests, cut_at, read_closed, read_growing
from kferry.records import Digested, fold

COUNT_AND_CRC = st.tuples(st.integers(1, 40_000), st.integers(0, (1 << 32) - 1))


def batch(crc: int) -> memoryview:
    return memoryview(bytes(17) + crc.to_bytes(4, "big") + bytes(40))


def restored(documents: Mapping[int, Any], growing: list[int], end: int) -> list[Digested]:
    """What a reader of the ledger finds."""
    own = read_growing(growing, end=end)
    assert own is not None
    found = [one for number in sorted(documents) for one in read_closed(documents[number])]
    if own.records:
        found.append(Digested(own.begin, own.end, own.digest))
    return cut_at(found, end)


@given(st.lists(st.one_of(COUNT_AND_CRC, st.sampled_from(["checkpoint", "doubt", "kill"]))))
def test_every_digest_is_that_of_the_batches_in_its_stretch(
    steps: list[tuple[int, int] | str],
) -> None:
    digests = Digests(begin=100, end=100)
    documents: dict[int, Any] = {}
    kept = (digests.growing(), 100)
    batches: list[tuple[int, int, int]] = []
    end = 100
    for step in steps:
        if isinstance(step, tuple):
            count, crc = step
            batches.append((end, count, crc))
            end += count
            digests.arrived(batch(crc), count, end)
        elif step == "checkpoint":
            documents |= dict(digests.documents())
            kept = (digests.growing(), end)
            digests.written(len(digests.closed))
        elif step == "doubt":
            end += 1
            digests.cut(end)
        else:
            growing, known = kept
            found = read_growing(growing, end=known)
            assert found is not None
            digests = found
            digests.closed = cut_at(read_closed(documents.get(found.number)), known)
            digests.noted = len(digests.closed)
            end += 1  # a marker; what came after the checkpoint was settled
            digests.cut(end)
    documents |= dict(digests.documents())
    for begin, until, digest in restored(documents, digests.growing(), end):
        own = [(count, crc) for at, count, crc in batches if begin <= at < until]
        expected = 0
        for count, crc in own:
            expected = fold(expected, count, crc)
        assert own
        assert digest == expected


def test_full_documents_are_left_behind_and_found_again() -> None:
    digests = Digests(begin=0, end=0)
    documents: dict[int, Any] = {}
    most = module._IN_A_DOCUMENT
    for number in range(2 * most + 3):
        digests.arrived(batch(number), 64 * 1024, (number + 1) * 64 * 1024)
        if number % 7 == 0:
            documents |= dict(digests.documents())
            digests.written(len(digests.closed))
    documents |= dict(digests.documents())
    found = restored(documents, digests.growing(), digests.end)
    assert [len(read_closed(documents[number])) for number in sorted(documents)] == [most, most, 3]
    assert [one.digest for one in found] == [fold(0, 64 * 1024, n) for n in range(2 * most + 3)]
    assert len(digests.closed) < most
