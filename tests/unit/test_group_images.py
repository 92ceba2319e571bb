"""What the ledger remembers of positions that were set: enough to take them back."""

import pytest

from kferry.copying import BadDocument
from kferry.migration.group_images import images_of

BEFORE = {"v": 1, "offset": 7, "metadata": "was", "at": "2026-01-01T00:00:00+00:00"}
OURS = {"v": 1, "offset": 30, "former": 20, "at": "2026-01-01T00:00:00+00:00"}


def test_an_image_is_what_was_there_and_what_became_of_it() -> None:
    documents = {"commit/a/b/orders/3": BEFORE, "synced/a/b/orders/3": OURS, "owner": {}}
    (image,) = images_of(documents)
    assert (image.group, image.place.topic, image.place.partition) == ("a/b", "orders", 3)
    assert (image.before, image.metadata, image.ours) == (7, "was", (30, 20))


def test_what_was_taken_back_is_no_image_any_more() -> None:
    assert images_of({"commit/g/orders/0": BEFORE}) == []


@pytest.mark.parametrize(
    "documents",
    [
        {"synced/g/orders/0": OURS},
        {"synced/g/orders/x": OURS, "commit/g/orders/x": BEFORE},
        {"synced/g": OURS, "commit/g": BEFORE},
        {"synced/g/orders/0": {"v": 1}, "commit/g/orders/0": BEFORE},
        {"synced/g/orders/0": OURS, "commit/g/orders/0": {"v": 1, "offset": -5}},
        {"synced/g/orders/0": OURS, "commit/g/orders/0": {"v": 1, "offset": "7"}},
    ],
)
def test_what_cannot_be_is_an_error_and_no_position(
    documents: dict[str, dict[str, object]],
) -> None:
    with pytest.raises(BadDocument):
        images_of(documents)
