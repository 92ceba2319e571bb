"""What the list of shapes promises, without a broker."""

from pathlib import Path

import pytest

from kferry.sandbox.cluster import Cluster
from kferry.sandbox.layout import arrange
from kferry.sandbox.load import SHAPES, Outcome, Scale, Shape, Summary, choose
from kferry.sandbox.load.cleaner import cleaned
from kferry.sandbox.load.confluent import client_settings
from kferry.sandbox.load.errors import OtherLoadError, UnknownShapeError
from kferry.sandbox.load.journal import Journal
from kferry.sandbox.load.workbench import Workbench
from kferry.sandbox.spec import ClusterSpec


def nothing(_: Workbench) -> None:
    """Fill nothing in."""


SHAPE = Shape(name="x", about="", fill=nothing, topics=(), since=(0, 11), limit="so it is")
SUMMARY = Summary(shape="x", outcome=Outcome.LOADED, topics=("load-x",), records=3, note="n")


def test_every_shape_has_names_of_its_own() -> None:
    names = [shape.name for shape in SHAPES]
    topics = [topic.name for shape in SHAPES for topic in shape.topics]
    groups = [group for shape in SHAPES for group in shape.groups]
    for some in (names, topics, groups):
        assert len(some) == len(set(some))
    for shape in SHAPES:
        assert all(topic.name.startswith(f"load-{shape.name}") for topic in shape.topics)
        assert all(group.startswith(f"load-{shape.name}") for group in shape.groups)
        assert shape.limit or shape.versions == "all"


def test_shapes_come_in_the_order_of_the_list_and_once() -> None:
    assert [one.name for one in choose(["compacted", "plain", "plain"])] == ["plain", "compacted"]


def test_an_unknown_shape_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownShapeError) as unknown:
        choose(["compact"])
    assert "the nearest is compacted;" in unknown.value.hint


@pytest.mark.parametrize(
    ("release", "reason"),
    [((0, 10, 2, 2), "needs Kafka 0.11: so it is"), ((0, 11), ""), ((4, 3, 1), "")],
)
def test_a_version_too_old_is_told_why(release: tuple[int, ...], reason: str) -> None:
    assert SHAPE.why_not(release) == reason


def test_a_shape_may_be_gone_again() -> None:
    (old,) = choose(["format-v0"])
    assert old.why_not((2, 8, 2)) == ""
    assert old.why_not((3, 9, 2)).startswith("gone since Kafka 3.0: ")


def test_a_finished_load_is_remembered(tmp_path: Path) -> None:
    journal = Journal(folder=tmp_path / "loaded", seed=1, scale=Scale.SMALL)
    assert journal.recall(SHAPE) is None
    journal.begin(SHAPE)
    journal.finish(SHAPE, SUMMARY)
    again = journal.recall(SHAPE)
    assert again is not None
    assert again.outcome is Outcome.THERE_ALREADY
    assert (again.topics, again.records, again.note) == (("load-x",), 3, "n")


def test_half_a_load_is_refused(tmp_path: Path) -> None:
    journal = Journal(folder=tmp_path / "loaded", seed=1, scale=Scale.SMALL)
    journal.begin(SHAPE)
    with pytest.raises(OtherLoadError) as refused:
        journal.recall(SHAPE)
    assert "did not come to an end" in refused.value.detail


def test_the_cleaner_is_done_when_it_has_reached_every_active_segment(tmp_path: Path) -> None:
    layout = arrange(ClusterSpec(), tmp_path, cluster_id="x", ports=(1, 2, 3))
    data = layout.nodes[0].data
    cluster = Cluster(layout)
    assert not cleaned(cluster, "t")  # the partition is not there yet
    for number in (0, 1):
        (data / f"t-{number}").mkdir(parents=True)
        for base in (0, 100):
            (data / f"t-{number}" / f"{base:020}.log").touch()
    assert not cleaned(cluster, "t")
    (data / "cleaner-offset-checkpoint").write_text("0\n2\nt 0 100\nt 1 0\n")
    assert not cleaned(cluster, "t")
    (data / "cleaner-offset-checkpoint").write_text("0\n3\nt 0 100\nt 1 100\nt-x 1 5\n")
    assert cleaned(cluster, "t")


def test_clients_are_let_in_as_the_administrator(tmp_path: Path) -> None:
    layout = arrange(ClusterSpec(), tmp_path, cluster_id="x", ports=(1, 2, 3))
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    (tmp_path / "admin.properties").write_text(
        "bootstrap.servers=127.0.0.1:1\n"
        "security.protocol=SASL_SSL\n"
        "sasl.mechanism=PLAIN\n"
        'sasl.jaas.config=a.PlainLoginModule required username="admin" password="s3cret";\n'
        "ssl.truststore.type=PEM\n"
        f"ssl.truststore.location={tmp_path}/ca.pem\n"
    )
    settings = client_settings(Cluster(layout))
    assert settings["security.protocol"] == "SASL_SSL"
    assert settings["sasl.password"] == "s3cret"
    assert str(settings["ssl.ca.pem"]).startswith("-----BEGIN")
    assert "ssl.key.pem" not in settings
