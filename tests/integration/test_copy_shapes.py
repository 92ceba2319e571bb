"""Every shape of data, from every age of Kafka, arrives as it was."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from ages import ages
from copying import Ended, copy, ended, kferry, sides
from judging import assert_same

from kferry.sandbox import ClusterSpec, Sandbox
from kferry.sandbox.load import Summary, choose, load

SOURCES = ages("0.10.2.2", "4.3.1", more=("1.1.1", "2.4.1", "2.8.2", "3.9.2"))
OPEN = "load-open-transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    sandbox: Sandbox
    topics: list[str]
    first: Ended
    again: Ended


@pytest.fixture(scope="module", params=SOURCES)
def copied(request: pytest.FixtureRequest) -> Iterator[Copied]:
    with Sandbox.start(source=ClusterSpec(version=request.param)) as sandbox:
        summaries: list[Summary] = list(load(sandbox.source, choose(())))
        first = copy(sandbox, "--topic", "load-*", migration="shapes")
        again = copy(sandbox, "--topic", "load-*", migration="shapes")
        yield Copied(
            sandbox=sandbox,
            topics=sorted({topic for one in summaries for topic in one.topics}),
            first=first,
            again=again,
        )


def test_every_record_of_every_shape_arrives_as_it_was(copied: Copied) -> None:
    assert copied.first.code == 0, copied.first.said
    assert copied.topics
    for topic in copied.topics:
        assert_same(copied.sandbox.source, copied.sandbox.target, topic)
    assert copied.first.result["records"] == copied.first.result["total_records"] > 0
    assert copied.first.result["stopped"] == copied.first.result["gaps"] == []


@pytest.mark.parametrize("level", ["digest", "records"])
def test_verify_finds_every_record_of_every_shape_the_same(copied: Copied, level: str) -> None:
    arguments = ("-m", "shapes", "--both", "--level", level, "--json")
    found = ended(kferry("verify", *sides(copied.sandbox), *arguments))
    assert found.code == 0, f"{found.said}\n{found.result}"
    assert found.result["same"] == copied.first.result["total_records"]
    assert found.result["expired_source"] == 0


def test_a_second_run_has_nothing_to_do(copied: Copied) -> None:
    assert copied.again.code == 0, copied.again.said
    assert copied.again.result["records"] == 0
    assert copied.again.result["total_records"] == copied.first.result["total_records"]
