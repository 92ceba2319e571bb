"""Every shape on older Kafka: the same records, and what only old versions hold."""

from collections.abc import Iterator

import pytest
from loading import Loaded, check_essentials, load_both, read

from kferry.sandbox import ClusterSpec, Sandbox
from kferry.sandbox.process import Process

PAIRS = (("0.10.2.2", "1.1.1"), ("2.4.1", "2.8.2"))
# That all shapes arrive from 0.10.2.2 as they were, a copy shows in every run.
pytestmark = pytest.mark.versions
CODECS = ("none", "gzip", "snappy", "lz4")


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> Iterator[list[Loaded]]:
    older, newer = request.param
    with Sandbox.start(
        source=ClusterSpec(version=older), target=ClusterSpec(version=newer)
    ) as sandbox:
        found = load_both(sandbox.source, sandbox.target)
        members = [
            Process(folder)
            for one in found
            for folder in one.cluster.layout.folder.glob("member-*")
        ]
        assert all(member.pid for member in members)
        yield found
    assert not any(member.pid for member in members)  # they end with their sandbox


def test_the_essential_is_the_same_as_everywhere(pair: list[Loaded]) -> None:
    for one in pair:
        check_essentials(one)


def test_old_formats_are_on_the_disk(pair: list[Loaded]) -> None:
    for one in pair:
        for magic in ("0", "1"):
            for codec in CODECS:
                batches = one.dumps[f"load-format-v{magic}-{codec}-0"]
                assert {batch["magic"] for batch in batches} == {magic}
                found = {batch["compresscodec"].lower() for batch in batches}
                # The client sends what compression would make larger as it is: on a busy machine
                # a batch may hold so little.
                assert codec in found <= {codec, "none"}
        topics = [f"load-format-v{magic}-{codec}" for magic in "01" for codec in CODECS]
        assert all(len(rows) == 400 for rows in read(one.cluster, topics).values())
