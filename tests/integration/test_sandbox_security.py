"""Who gets in: the right credentials, on every version, and nobody else."""

import re
import secrets
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import judge
import pytest
import securities_table

from kferry.sandbox import Cluster, ClusterSpec, Sandbox, Security, readiness

_SHORT_S = 6.0
_ASK_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
_MECHANISMS = (
    (securities_table.PLAIN, "PLAIN", "PlainLoginModule"),
    (securities_table.SCRAM, "SCRAM-SHA-512", "ScramLoginModule"),
)


_OLD = (
    # Each version once as source, once as target; once with each way in.
    (Security.SSL, "0.10.2.2", "1.1.1"),
    (Security.SSL, "2.4.1", "2.8.2"),
    (Security.SASL_SSL, "1.1.1", "0.10.2.2"),
    (Security.SASL_SSL, "2.8.2", "2.4.1"),
)


def _name(one: str | tuple[str, ...]) -> str:
    return one if isinstance(one, str) else "-".join(one)


@pytest.fixture(scope="module", params=["sasl", "mutual", *_OLD], ids=_name)
def secured(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Both ways of letting people in, on every version."""
    if isinstance(request.param, str):
        yield request.getfixturevalue(request.param)
        return
    security, source, target = request.param
    with Sandbox.start(
        source=ClusterSpec(version=source, security=security),
        target=ClusterSpec(version=target, security=security),
    ) as sandbox:
        yield sandbox


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
    judge.send(admin, topic, "to be copied")
    assert judge.read(kferry, topic) == "to be copied"
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


def test_every_way_in_is_open_to_both_users_as_documented(secured: Sandbox, tmp_path: Path) -> None:
    for cluster in (secured.source, secured.target):
        if cluster.layout.spec.security is Security.SSL:
            files = (cluster.properties, cluster.kferry_properties)
            securities_table.check(
                cluster.version, {securities_table.SSL: all(_complete(cluster, f) for f in files)}
            )
            continue
        found = dict.fromkeys((securities_table.PLAIN, securities_table.SCRAM), True)
        for way, mechanism, module in _MECHANISMS:
            for properties in (cluster.properties, cluster.kferry_properties):
                text = re.sub(
                    r"(?m)^sasl\.mechanism=.*$",
                    f"sasl.mechanism={mechanism}",
                    properties.read_text(),
                )
                changed = tmp_path / "other.properties"
                changed.write_text(re.sub(r"\w+LoginModule", module, text))
                found[way] &= _complete(cluster, changed)
        securities_table.check(cluster.version, found)


def test_nobody_comes_in_without_a_certificate_where_brokers_talk(secured: Sandbox) -> None:
    for cluster in (secured.source, secured.target):
        node = cluster.layout.nodes[0]
        mutual = cluster.layout.spec.security is Security.SSL
        port = node.port if mutual else node.controller_port
        trusting = ssl.create_default_context(cafile=cluster.layout.folder / "tls" / "ca.pem")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _ask_without_certificate(port, trusting)


def _ask_without_certificate(port: int, trusting: ssl.SSLContext) -> None:
    """Raise if the broker does not answer."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=_SHORT_S) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(_ASK_VERSIONS)
        if not connection.recv(4):
            raise ConnectionError("the broker hung up")


def test_secrets_lie_in_files_of_their_owner_alone(secured: Sandbox) -> None:
    files = [
        file
        for pattern in ("*/*.properties", "*/broker-*/*.properties", "*/tls/*", "*/*/jaas.conf")
        for file in secured.folder.glob(pattern)
    ]
    assert files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    assert secured.folder.stat().st_mode & 0o077 == 0
