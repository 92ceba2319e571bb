"""Which topics a pattern means."""

import pytest

from kferry.config import TopicSelection
from kferry.errors import ConfigError
from kferry.names import TopicName


@pytest.mark.parametrize(
    ("patterns", "name", "meant"),
    [
        ([], "orders", True),
        ([], "__consumer_offsets", False),
        (["*"], "__consumer_offsets", False),
        (["__consumer_offsets"], "__consumer_offsets", True),
        (["orders"], "orders", True),
        (["orders"], "orders-2", False),
        (["orders*"], "orders-2", True),
        (["/orders/"], "orders-2", False),
        (["/orders-\\d/"], "orders-2", True),
        (["a", "b?"], "b1", True),
    ],
)
def test_patterns_match_whole_names(patterns: list[str], name: str, *, meant: bool) -> None:
    assert TopicSelection.parse(patterns).matches(TopicName(name), internal=False) is meant


def test_internal_topics_are_meant_only_when_named() -> None:
    internal = TopicName("_state")
    assert not TopicSelection.parse(["*"]).matches(internal, internal=True)
    assert TopicSelection.parse(["_state"]).matches(internal, internal=True)


def test_a_broken_expression_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"/\(/"):
        TopicSelection.parse(["/(/"])


def test_a_pattern_that_means_nothing_is_named_as_it_was_typed() -> None:
    selection = TopicSelection.parse(["orders*", "ordres*", "/x+/", "exact"])
    assert selection.unmatched([TopicName("orders-1")]) == ["ordres*", "/x+/"]
