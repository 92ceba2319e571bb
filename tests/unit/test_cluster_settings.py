"""What a properties file says about a cluster, and what kferry says when it says nonsense."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kferry.config import ClusterSettings, Protocol, Secret, load_cluster, load_properties
from kferry.errors import ConfigError
from kferry.names import Address

Load = Callable[[str], ClusterSettings]

SCRAM = (
    "bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
    "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
    'username="alice" password="{password}";\n'
)
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def _load(text: str) -> ClusterSettings:
        file = tmp_path / "client.properties"
        file.write_text(text)
        return load_properties(file)

    return _load


def test_a_bare_address_is_enough() -> None:
    settings = load_cluster("a:9092,[::1]:9093", None, side="source")
    assert settings.bootstrap == (Address("a", 9092), Address("::1", 9093))
    assert settings.protocol is Protocol.PLAINTEXT


def test_the_command_line_wins_over_the_files_servers(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("bootstrap.servers=old:1\nclient.rack=r1")
    settings = load_cluster("new:2", file, side="source")
    assert settings.bootstrap == (Address("new", 2),)
    assert settings.rack == "r1"


@pytest.mark.parametrize(
    "password", ["plain", "with space", 'quo\\\\"te', "semi;colon", "eq=ual", "ümlaut", "$5"]
)
def test_passwords_survive_the_jaas_line(load: Load, password: str) -> None:
    settings = load(SCRAM.format(password=password))
    assert settings.sasl is not None
    assert settings.sasl.username == "alice"
    assert settings.sasl.password == Secret(password.replace('\\\\"', '"'))


def test_secrets_come_from_the_environment_and_from_files(
    load: Load,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "pw").write_text("from-file\n")
    (tmp_path / "more.properties").write_text("kafka.password=from-key\n")
    monkeypatch.setenv("KAFKA_PASSWORD", "from-env")
    for reference, password in (
        ("${KAFKA_PASSWORD}", "from-env"),
        ("${env:KAFKA_PASSWORD}", "from-env"),
        (f"${{file:{tmp_path}/pw}}", "from-file"),
        (f"${{file:{tmp_path}/more.properties:kafka.password}}", "from-key"),
        ("$${KAFKA_PASSWORD}", "${KAFKA_PASSWORD}"),
    ):
        settings = load(SCRAM.format(password=reference))
        assert settings.sasl is not None
        assert settings.sasl.password == Secret(password)


def test_no_secret_shows_in_the_settings_repr(load: Load) -> None:
    settings = load(
        SCRAM.format(password="hush") + "ssl.keystore.key=" + KEY.replace("\n", "\\n") + "\n"
        "ssl.key.password=hush2\nssl.keystore.certificate.chain=" + CERTIFICATE.replace("\n", "\\n")
    )
    assert "hush" not in repr(settings)
    assert "MIIE" not in repr(settings)
    assert settings.tls.key == Secret(KEY)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("security.protocol=TLS", ["line 1", "TLS", "SASL_SSL"]),
        ("bootstrap.servers=a", ["line 1", "`a`", "HOST:PORT"]),
        ("bootstrap.servers=a:99999", ["a:99999"]),
        (
            "security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI",
            ["line 2", "GSSAPI", "SCRAM-SHA-512"],
        ),
        ("security.protocol=SASL_SSL\nsasl.mechanism=PLAIN", ["sasl.jaas.config"]),
        (
            "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=X required;",
            ["line 3", "username", "password"],
        ),
        (
            'security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=X required a="',
            ["line 3", "quote"],
        ),
        ("ssl.truststore.location=/nowhere/ca.pem", ["line 1", "/nowhere/ca.pem"]),
        ("client.id=${NOT_SET_ANYWHERE}", ["line 1", "NOT_SET_ANYWHERE", "export"]),
        ("client.id=${weird:thing}", ["weird:thing"]),
        ("kferry.address.map=a:1", ["a:1", "ADVERTISED:PORT=DIALLED:PORT"]),
    ],
)
def test_nonsense_is_named_with_its_line_and_the_way_out(
    load: Load, line: str, words: list[str]
) -> None:
    text = line if line.startswith("bootstrap") else f"{line}\nbootstrap.servers=a:1\n"
    with pytest.raises(ConfigError) as caught:
        load(text)
    shown = f"{caught.value} {caught.value.hint}"
    assert [word for word in words if word not in shown] == []


def test_an_error_about_credentials_does_not_repeat_them(load: Load) -> None:
    for broken in ('X required username="a" password="hush', "X required password=hush user name;"):
        with pytest.raises(ConfigError) as caught:
            load(
                "bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
                f"sasl.jaas.config={broken}"
            )
        assert "hush" not in f"{caught.value} {caught.value.detail} {caught.value.hint}"


@pytest.mark.parametrize(
    ("magic", "kind", "how"),
    [
        (b"\xfe\xed\xfe\xed\x00\x00", "JKS", "keytool -importkeystore"),
        (b"\x30\x82\x0a\x0b", "PKCS12", "openssl pkcs12"),
    ],
)
def test_java_key_stores_are_named_with_the_way_to_convert_them(
    load: Load,
    tmp_path: Path,
    magic: bytes,
    kind: str,
    how: str,
) -> None:
    (tmp_path / "trust.jks").write_bytes(magic)
    with pytest.raises(ConfigError) as caught:
        load(f"bootstrap.servers=a:1\nssl.truststore.location={tmp_path}/trust.jks")
    assert kind in str(caught.value)
    assert how in caught.value.hint


def test_the_hostname_check_is_off_only_when_the_key_is_emptied(load: Load) -> None:
    base = "bootstrap.servers=a:1\nsecurity.protocol=SSL\n"
    key = "ssl.endpoint.identification.algorithm"
    assert load(base).tls.check_hostname
    assert load(base + f"{key}=https").tls.check_hostname
    assert not load(base + f"{key}=").tls.check_hostname


def test_an_address_map_leads_around(load: Load) -> None:
    settings = load("bootstrap.servers=a:1\nkferry.address.map=b1:9092=localhost:19092, b2:1=c:2")
    assert settings.dial(Address("b1", 9092)) == Address("localhost", 19092)
    assert settings.dial(Address("other", 1)) == Address("other", 1)


@pytest.mark.parametrize("servers", [",", " ", ""])
def test_an_empty_list_of_servers_is_refused_not_taken_for_nothing_to_do(servers: str) -> None:
    with pytest.raises(ConfigError, match="names no server"):
        load_cluster(servers, None, side="source")


def test_what_looks_like_a_reference_inside_a_password_is_not_shown(load: Load) -> None:
    for password in ("S3${cr3t}x", "a${hunter2!}b", "${file:/hush/hush}"):
        with pytest.raises(ConfigError) as caught:
            load(SCRAM.format(password=password))
        shown = f"{caught.value} {caught.value.hint} {caught.value.__context__}"
        assert "line 4: sasl.jaas.config" in shown
        assert all(part not in shown for part in ("cr3t", "hunter2", "hush"))


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("bootstrap.servers=a:1\n", encoding="utf-8-sig")
    assert load_properties(file).bootstrap == (Address("a", 1),)


def test_a_bad_address_on_the_command_line_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("bootstrap.servers=a:1\n")
    with pytest.raises(ConfigError) as caught:
        load_cluster("b", file, side="source")
    assert "client.properties" not in str(caught.value)
