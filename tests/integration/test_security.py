"""Getting in, or being told in words why not: TLS and SASL on real brokers."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from kferry.config import (
    ClusterSettings,
    Protocol,
    SaslSettings,
    Secret,
    TlsSettings,
    load_properties,
)
from kferry.names import Address
from kferry.sandbox import ClusterSpec, Sandbox, Security
from kferry.sandbox.cluster import Cluster as SandboxCluster
from kferry.wire import (
    AuthenticationFailed,
    ConnectionLost,
    Limits,
    TlsFailed,
    WrongProtocol,
    dial,
    open_cluster,
)
from kferry.wire.connection import Connection
from kferry.wire.metadata import ask_metadata

LIMITS = Limits(connect=5.0, request=10.0, retry=1.0)


async def let_in(settings: ClusterSettings) -> Connection:
    return await dial(settings, settings.bootstrap[0], LIMITS)


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("user", ["properties", "kferry_properties"])
@pytest.mark.parametrize("kind", ["sasl", "mutual", "plain"])
async def test_the_sandboxes_own_files_let_us_in(
    request: pytest.FixtureRequest, kind: str, side: str, user: str
) -> None:
    cluster: SandboxCluster = getattr(request.getfixturevalue(kind), side)
    settings = load_properties(getattr(cluster, user))
    async with open_cluster(settings, LIMITS) as opened:
        assert opened.metadata.cluster_id == cluster.cluster_id
        for broker in opened.metadata.brokers:
            assert not (await opened.connection(broker)).closed


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
@pytest.mark.parametrize("side", ["source", "target"])
async def test_both_mechanisms_take_the_right_password_and_refuse_a_wrong_one(
    sasl: Sandbox, mechanism: str, side: str
) -> None:
    settings = load_properties(getattr(sasl, side).properties)
    assert settings.sasl is not None
    good = replace(settings, sasl=replace(settings.sasl, mechanism=mechanism))
    (await let_in(good)).abort()
    bad = replace(settings, sasl=replace(settings.sasl, password=Secret("wrong-hush")))
    with pytest.raises(AuthenticationFailed) as caught:
        await let_in(bad)
    assert str(settings.bootstrap[0]) in str(caught.value)
    assert "wrong-hush" not in str(caught.value) + caught.value.hint


async def test_a_mechanism_that_is_not_enabled_is_answered_with_those_that_are(
    sasl: Sandbox,
) -> None:
    settings = load_properties(sasl.source.properties)
    assert settings.sasl is not None
    other = replace(settings, sasl=replace(settings.sasl, mechanism="SCRAM-SHA-256"))
    with pytest.raises(AuthenticationFailed, match="PLAIN, SCRAM-SHA-512"):
        await let_in(other)


async def test_plain_text_to_a_tls_port_is_recognised(sasl: Sandbox, mutual: Sandbox) -> None:
    for cluster in (sasl.source, sasl.target, mutual.source):
        settings = load_properties(cluster.properties)
        plain = ClusterSettings(bootstrap=settings.bootstrap)
        with pytest.raises(WrongProtocol, match="speaks TLS and was spoken to in plain text"):
            await let_in(plain)


async def test_tls_to_a_plain_text_port_is_recognised(plain: Sandbox, sasl: Sandbox) -> None:
    there = load_properties(plain.source.properties).bootstrap
    for protocol in (Protocol.SSL, Protocol.SASL_SSL):
        settings = replace(
            load_properties(sasl.source.properties), bootstrap=there, protocol=protocol
        )
        with pytest.raises(WrongProtocol, match="speaks plain text and was spoken to in TLS"):
            await let_in(settings)


async def test_sasl_to_a_listener_without_it_is_recognised(plain: Sandbox) -> None:
    settings = replace(
        load_properties(plain.source.properties),
        protocol=Protocol.SASL_PLAINTEXT,
        sasl=SaslSettings(mechanism="PLAIN", username="a", password=Secret("b")),
    )
    with pytest.raises(AuthenticationFailed, match="does not ask for SASL"):
        await let_in(settings)


async def test_missing_sasl_is_recognised_when_the_broker_hangs_up(sasl: Sandbox) -> None:
    settings = replace(load_properties(sasl.source.properties), protocol=Protocol.SSL, sasl=None)
    with pytest.raises(AuthenticationFailed, match="wants SASL") as caught:
        async with open_cluster(settings, LIMITS):
            pass
    assert "SASL_SSL" in caught.value.hint


async def test_an_unknown_ca_is_named(sasl: Sandbox, mutual: Sandbox) -> None:
    foreign = load_properties(mutual.source.properties).tls.trusted
    for tls in (TlsSettings(trusted=foreign), TlsSettings()):
        settings = replace(load_properties(sasl.source.properties), tls=tls)
        with pytest.raises(TlsFailed, match="certificate is not accepted") as caught:
            await let_in(settings)
        assert "ssl.truststore.location" in caught.value.hint


async def test_a_certificate_for_another_name_is_refused_unless_the_check_is_off(
    sasl: Sandbox,
) -> None:
    settings = load_properties(sasl.source.properties)
    real = settings.bootstrap[0]
    advertised = Address("broker.example", real.port)
    tunnelled = replace(settings, bootstrap=(advertised,), address_map={advertised: real})
    with pytest.raises(TlsFailed, match="certificate is not accepted") as caught:
        await let_in(tunnelled)
    assert "kferry.address.map" in caught.value.hint
    unchecked = replace(tunnelled, tls=replace(tunnelled.tls, check_hostname=False))
    (await let_in(unchecked)).abort()


async def test_through_a_tunnel_the_advertised_name_is_the_one_that_is_checked(
    sasl: Sandbox,
) -> None:
    settings = load_properties(sasl.source.properties)
    real = settings.bootstrap[0]
    advertised = Address("localhost", 1)  # in the certificate, and not where the broker listens
    tunnelled = replace(settings, bootstrap=(advertised,), address_map={advertised: real})
    (await let_in(tunnelled)).abort()


async def test_a_missing_client_certificate_is_named(mutual: Sandbox) -> None:
    for cluster in (mutual.source, mutual.target):
        settings = load_properties(cluster.properties)
        anonymous = replace(settings, tls=TlsSettings(trusted=settings.tls.trusted))
        with pytest.raises(TlsFailed, match="certificate") as caught:
            await let_in(anonymous)
        assert "ssl.keystore.location" in caught.value.hint


async def test_keys_stay_out_of_the_temporary_folder(
    mutual: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (await let_in(load_properties(mutual.source.properties))).abort()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 one look, no I/O worth a thread


@pytest.mark.own_brokers
async def test_credentials_that_expire_are_renewed_before_the_broker_hangs_up() -> None:
    """KIP-368: past the session's lifetime a broker ends the connection of who still uses it."""
    short = ClusterSpec(security=Security.SASL_SSL, extra={"connections.max.reauth.ms": "2000"})
    sandbox = await asyncio.to_thread(Sandbox.start, source=short, target=ClusterSpec())
    try:
        settings = load_properties(sandbox.source.properties)
        careless = await let_in(settings)
        async with open_cluster(settings, LIMITS) as cluster, asyncio.timeout(30):
            first = await cluster.any_connection()
            assert first.expires_at is not None
            hung_up = False
            while not hung_up:  # until the broker has ended a session that nobody renewed
                await cluster.refresh(None)  # ours never fails meanwhile
                try:
                    await ask_metadata(careless, (), seconds=5)
                except ConnectionLost:
                    hung_up = True
            assert (await cluster.any_connection()) is not first
            assert first.closed
    finally:
        await asyncio.to_thread(sandbox.stop)
