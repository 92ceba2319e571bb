"""What the ledger remembers of positions that were set: enough to take them back."""

import pytest

from kferry.copying import BadDocument
from kferry.migration.group_images import images_of

BEFORE = {"v": 1, "offset": 7, "metadata": "was", "at": "2026-01-01T00:00:00+00:00"}
OURS = {"v": 1, "offset": 30, "former": 20, "at": "2026-01-01T00:00:00+00:00"}


def test_an_image_is_what_was_there_and_what_became_of_it() -> None:
    documents = {"commit/us/a/b/orders/3": BEFORE, "synced/a/b/orders/3": OURS, "owner": {}}
    (image,) = images_of(documents)
    assert (image.group, image.place.topic, image.place.partition) == ("a/b", "orders", 3)
    assert (image.before, image.metadata, image.ours) == (7, "was", (30, 20))


def test_of_two_first_looks_the_one_that_was_written_first_counts() -> None:
    documents = {
        "commit/us/g/orders/0": BEFORE,
        "synced/g/orders/0": OURS,
        "commit/them/g/orders/0": {**BEFORE, "offset": 30},
    }
    (image,) = images_of(documents)
    assert image.before == 7


def test_what_was_taken_back_is_no_image_any_more() -> None:
    assert images_of({"commit/us/g/orders/0": BEFORE}) == []


@pytest.mark.parametrize(
    "documents",
    [
        {"synced/g/orders/0": OURS},
        {"synced/g/orders/x": OURS, "commit/us/g/orders/x": BEFORE},
        {"synced/g": OURS, "commit/us/g": BEFORE},
        {"synced/g/orders/0": {**OURS, "at": "yesterday"}, "commit/us/g/orders/0": BEFORE},
        {"synced/g/orders/0": {**OURS, "at": 5}, "commit/us/g/orders/0": BEFORE},
        {"synced/g/orders/0": {"v": 1}, "commit/us/g/orders/0": BEFORE},
        {"synced/g/orders/0": OURS, "commit/us/g/orders/0": {"v": 1, "offset": -5}},
        {"synced/g/orders/0": OURS, "commit/us/g/orders/0": {"v": 1, "offset": "7"}},
    ],
)
def test_what_cannot_be_is_an_error_and_no_position(
    documents: dict[str, dict[str, object]],
) -> None:
    with pytest.raises(BadDocument):
        images_of(documents)
