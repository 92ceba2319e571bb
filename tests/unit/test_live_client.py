"""A client's process of the live traffic: it ends with its sandbox, however that ends."""

from pathlib import Path

import pytest

from kferry.errors import ExitCode
from kferry.sandbox import ClusterSpec, LiveSpec, layout_file
from kferry.sandbox.claim import Claim
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.layout import plan
from kferry.sandbox.live.errors import BadLiveError
from kferry.sandbox.live.instance import Instance, Order
from kferry.sandbox.live.journal import Run
from kferry.sandbox.live.spec import Role

_PATIENCE_S = 30.0


@pytest.fixture
def claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Claim:
    """A sandbox of ours that has no broker."""
    monkeypatch.setenv("KFERRY_HOME", str(tmp_path))
    made = Claim.make("orphan")
    for side in ("source", "target"):
        layout = plan(ClusterSpec(), made.folder / side)
        layout.folder.mkdir()
        layout_file.save(layout)
        properties = layout.folder / "admin.properties"
        properties.write_text(f"bootstrap.servers={layout.bootstrap}\n")
    return made


def start(claim: Claim, *, lasting: bool) -> Instance:
    spec = LiveSpec(producers=1, groups=0, transactional=0)
    (client,) = spec.clients
    home = claim.folder / "traffic-live"
    journals = home / "journals"
    journals.mkdir(parents=True)
    instance = Instance(home, client, "source", Cluster(layout_file.load(claim.folder / "source")))
    run = Run(
        client=client.name,
        role=Role.PRODUCER,
        group="",
        topics=client.topics,
        side="source",
        cluster_id="any",
        number=1,
    )
    order = Order(
        spec=spec,
        run=run,
        cluster=claim.folder / "source",
        journals=journals,
        next_numbers={},
    )
    instance.start(order, lasting=lasting)
    assert instance.running
    return instance


def test_a_lasting_client_ends_when_the_owner_of_its_sandbox_is_dead(claim: Claim) -> None:
    instance = start(claim, lasting=True)
    claim.release()  # as the system does it for an owner that was killed
    assert instance.process.wait(_PATIENCE_S)


def test_a_client_ends_with_whoever_started_it_unless_it_is_to_last(claim: Claim) -> None:
    instance = start(claim, lasting=False)
    instance.process._forget()  # the lifeline ends, as with our own process
    assert instance.process.wait(_PATIENCE_S)
    claim.release()


@pytest.mark.parametrize(
    "wrong",
    [
        {"topics": 0},
        {"partitions": 51},
        {"producers": 0, "transactional": 0},
        {"rate": 0},
        {"rate": float("nan")},
        {"prefix": ""},
        {"prefix": "a/../b"},
        {"size": 5},
    ],
)
def test_traffic_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadLiveError) as raised:
        LiveSpec(**wrong)  # type: ignore[arg-type]  # wrong on purpose
    assert raised.value.exit_code == ExitCode.USAGE
    assert raised.value.detail
