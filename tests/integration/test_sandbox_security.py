"""Who gets in: the right credentials, on both KRaft versions, and nobody else."""

import re
import secrets
from pathlib import Path

import judge
import pytest

from kferry.sandbox import Cluster, Sandbox, readiness

_SHORT_S = 6.0


@pytest.fixture(params=["sasl", "mutual"])
def secured(request: pytest.FixtureRequest) -> Sandbox:
    """Both ways of letting people in, each with 3.9.2 on one side and 4.3.1 on the other."""
    sandbox: Sandbox = request.getfixturevalue(request.param)
    return sandbox


def _topic() -> str:
    return f"guarded-{secrets.token_hex(4)}"


def _complete(cluster: Cluster, properties: Path) -> bool:
    brokers = len(cluster.brokers)
    return not readiness.what_is_missing(properties, cluster_id=cluster.cluster_id, brokers=brokers)


def test_the_administrator_gets_in_on_both_sides(secured: Sandbox) -> None:
    for cluster in (secured.source, secured.target):
        config, topic = judge.client_config(cluster.properties), _topic()
        judge.create_topic(config, topic)
        judge.send(config, topic, "let in")
        assert judge.read(config, topic) == "let in"


def test_kferry_writes_on_the_target_and_not_on_the_source(secured: Sandbox) -> None:
    admin, kferry, topic = (
        judge.client_config(secured.source.properties),
        judge.client_config(secured.source.kferry_properties),
        _topic(),
    )
    judge.create_topic(admin, topic)
    with pytest.raises(Exception, match="uthorization failed"):
        judge.send(kferry, topic, "not wanted", patience_s=_SHORT_S)
    with pytest.raises(Exception, match="uthorization failed"):
        judge.create_topic(kferry, _topic())

    kferry = judge.client_config(secured.target.kferry_properties)
    judge.create_topic(kferry, topic)
    judge.send(kferry, topic, "copied")
    assert judge.read(kferry, topic) == "copied"


def test_wrong_credentials_do_not_get_in(secured: Sandbox, tmp_path: Path) -> None:
    for cluster in (secured.source, secured.target):
        good = cluster.kferry_properties.read_text()
        bad = re.sub('password="[^"]+"', 'password="wrong"', good)
        # Without a client certificate where certificates are the credentials.
        bad = re.sub(r"(?m)^ssl\.keystore.*\n", "", bad)
        changed = tmp_path / "bad.properties"
        changed.write_text(bad)
        assert _complete(cluster, cluster.kferry_properties)
        assert not _complete(cluster, changed)


def test_brokers_of_another_authority_are_not_trusted(
    sasl: Sandbox, mutual: Sandbox, tmp_path: Path
) -> None:
    theirs = mutual.target.layout.folder / "tls" / "ca.pem"
    ours = sasl.target.layout.folder / "tls" / "ca.pem"
    changed = tmp_path / "other.properties"
    changed.write_text(sasl.target.properties.read_text().replace(str(ours), str(theirs)))
    assert not _complete(sasl.target, changed)


def test_plain_and_scram_know_the_same_users(sasl: Sandbox, tmp_path: Path) -> None:
    for cluster in (sasl.source, sasl.target):
        for properties in (cluster.properties, cluster.kferry_properties):
            text = properties.read_text()
            other = "PLAIN" if "=SCRAM-SHA-512" in text else "SCRAM-SHA-512"
            changed = tmp_path / "other.properties"
            changed.write_text(re.sub(r"(?m)^sasl\.mechanism=.*$", f"sasl.mechanism={other}", text))
            assert _complete(cluster, changed)


def test_secrets_lie_in_files_of_their_owner_alone(secured: Sandbox) -> None:
    files = [
        file
        for pattern in ("*/*.properties", "*/broker-*/*.properties", "*/tls/*.pem")
        for file in secured.folder.glob(pattern)
    ]
    assert files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    assert secured.folder.stat().st_mode & 0o077 == 0
