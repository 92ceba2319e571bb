"""Every version the sandbox knows: boots, takes and returns a record, goes away."""

from pathlib import Path

import judge
import pytest
from machine import eventually, processes_of

from kferry.sandbox import ClusterSpec, Sandbox, versions

_PAIRS = [("0.10.2.2", "1.1.1"), ("2.4.1", "2.8.2"), ("3.9.2", "4.3.1")]


def test_pairs_cover_every_known_version() -> None:
    assert {version for pair in _PAIRS for version in pair} == set(versions.KNOWN)


@pytest.mark.parametrize(("source", "target"), _PAIRS)
def test_a_version_boots_takes_a_record_returns_it_and_goes_away(
    own_home: Path, source: str, target: str
) -> None:
    specs = (ClusterSpec(version=source), ClusterSpec(version=target))
    with Sandbox.start(source=specs[0], target=specs[1]) as sandbox:
        for cluster in (sandbox.source, sandbox.target):
            config = judge.client_config(cluster.properties)
            judge.create_topic(config, "there")
            judge.send(config, "there", f"sent to {cluster.version}")
            assert judge.read(config, "there") == f"sent to {cluster.version}"
    eventually(lambda: not processes_of(sandbox.folder))
    assert list(own_home.glob("sandbox/*")) == []


def test_settings_are_quick_or_the_brokers_own_and_extra_ones_win(own_home: Path) -> None:
    own = ClusterSpec(version="3.9.2", broker_defaults=True)
    wished = ClusterSpec(extra={"auto.create.topics.enable": "false", "num.io.threads": "3"})
    with Sandbox.start(source=own, target=wished) as sandbox:
        source = judge.broker_settings(judge.client_config(sandbox.source.properties))
        assert source["offsets.topic.num.partitions"] == "50"
        assert source["log.cleaner.backoff.ms"] == "15000"
        target = judge.broker_settings(judge.client_config(sandbox.target.properties))
        assert target["auto.create.topics.enable"] == "false"
        assert target["num.io.threads"] == "3"
        assert target["group.initial.rebalance.delay.ms"] == "0"
