"""Importing MirrorMaker 2: what a flow means, what has no counterpart, and no secret copied."""

from pathlib import Path

import pytest

from kferry.cli.main import run
from kferry.config import FromEnd, MigrationFile, load_migration_file
from kferry.config.properties import parse_properties
from kferry.errors import ConfigError, ExitCode
from kferry.migration.init_text import render
from kferry.migration.mm2_import import Imported, import_mm2
from kferry.migration.mm2_import_keys import reason_for
from kferry.migration.mm2_import_patterns import translate
from kferry.names import Address, TopicName

BASE = """\
clusters = east, west
east.bootstrap.servers = e1:9092, e2:9092
west.bootstrap.servers = w1:9092
east->west.enabled = true
"""
IDENTITY = "replication.policy.class=org.apache.kafka.connect.mirror.IdentityReplicationPolicy\n"


def imported(
    text: str, *, flow: str | None = None, path: Path = Path("/x/mm2.properties")
) -> Imported:
    return import_mm2(parse_properties(text), path, flow=flow)


def load(folder: Path, text: str, *, flow: str | None = None) -> MigrationFile:
    source = folder / "mm2.properties"
    source.write_text(text, encoding="utf-8")
    out = folder / "kferry.yaml"
    out.unlink(missing_ok=True)
    out.write_text(render(imported(text, flow=flow, path=source).draft), encoding="utf-8")
    return load_migration_file(out, environment={"PASSWORD": "hunter2"})


def meant(file: MigrationFile, *names: str) -> list[str]:
    return [one for one in names if file.selection.matches(TopicName(one), internal=False)]


def told(result: Imported) -> dict[str, tuple[int, str, bool]]:
    return {one.key: (one.line, one.text, one.decide) for one in result.told}


def test_a_bare_flow_means_what_mirror_maker_does_by_default(tmp_path: Path) -> None:
    file = load(tmp_path, BASE)
    assert file.name == "east-to-west"
    assert file.source is not None
    assert file.source.bootstrap == (Address("e1", 9092), Address("e2", 9092))
    assert file.target is not None
    assert file.target.bootstrap == (Address("w1", 9092),)
    assert meant(
        file, "orders", "mm2-configs.east.internal", "a.replica", "heartbeats", "__x", "west.orders"
    ) == ["orders"]
    assert file.rename.get(TopicName("orders")) == "east.orders"
    assert not file.topic_wishes.takes_config("min.insync.replicas")
    assert file.topic_wishes.change is None
    assert file.access_wishes.acls
    assert file.access_wishes.hold_back_writes
    assert file.copy.start is None


def test_what_is_set_is_taken_over(tmp_path: Path) -> None:
    file = load(
        tmp_path,
        BASE
        + IDENTITY
        + """\
topics = everything
east->west.topics = orders, pay\\\\.eu, audit-.*, log[0-9]+, tmp
east->west.topics.exclude = tmp, .*-test
config.properties.exclude = retention\\\\.ms, follower.*
sync.topic.configs.enabled = true
sync.topic.acls.enabled = false
replication.factor = 3
east.consumer.auto.offset.reset = latest
""",
    )
    assert sorted(file.selection.exact) == ["orders", "pay.eu"]
    assert [one.text for one in file.selection.patterns] == ["audit-*", "/log[0-9]+/"]
    assert meant(
        file, "everything", "orders", "audit-x", "audit-test", "log12", "tmp", "payXeu"
    ) == [
        "orders",
        "audit-x",
        "log12",
    ]
    assert not file.rename
    assert file.topic_wishes.replication == 3
    assert not file.topic_wishes.takes_config("retention.ms")
    assert file.topic_wishes.takes_config("min.insync.replicas")
    assert file.topic_wishes.may_change(TopicName("orders"))
    assert not file.access_wishes.acls
    assert file.copy.start == FromEnd()


def test_a_cluster_that_mirrors_back_is_another_migration(tmp_path: Path) -> None:
    both = BASE + "west->east.enabled = true\nwest->east.topics = x\nreplication.factor=-1\n"
    with pytest.raises(ConfigError, match="2 flows") as refused:
        imported(both)
    assert "--flow 'east->west'" in refused.value.hint
    result = imported(both, flow="west:east")
    assert result.draft.name == "west-to-east"
    assert told(result)["east->west"][1] == "is a migration of its own"
    file = load(tmp_path, both, flow="east->west")
    assert meant(file, "orders", "west.orders") == ["orders"]
    assert file.topic_wishes.replication == -1


@pytest.mark.parametrize(
    ("text", "flow", "words"),
    [
        ("a=b", None, "names no `clusters`"),
        ("clusters=a,b\n", None, "enables no flow"),
        (BASE, "east->north", "has no flow"),
        (BASE, "east->east", "has no flow"),
    ],
)
def test_what_is_no_flow_is_refused(text: str, flow: str | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        imported(text, flow=flow)


def test_secrets_stay_where_they_are(tmp_path: Path) -> None:
    jaas = 'x.ScramLoginModule required username="u" password="hunter2";'
    text = (
        BASE
        + f"""\
security.protocol = SASL_PLAINTEXT
sasl.mechanism = SCRAM-SHA-512
east.sasl.jaas.config = {jaas}
west.sasl.jaas.config = x required username="w" password="${{env:PASSWORD}}";
config.providers = env
config.providers.env.class = org.apache.kafka.common.config.provider.EnvVarConfigProvider
west.ssl.key.password = hunter2
west.ssl.keystore.password = hunter2
"""
    )
    file = load(tmp_path, text)
    written = (tmp_path / "kferry.yaml").read_text(encoding="utf-8")
    assert "hunter2" not in written
    assert f"${{file:{tmp_path}/mm2.properties:east.sasl.jaas.config}}" in written
    for side, user in ((file.source, "u"), (file.target, "w")):
        assert side is not None
        assert side.sasl is not None
        assert (side.sasl.username, side.sasl.password.reveal()) == (user, "hunter2")
        assert side.sasl.mechanism == "SCRAM-SHA-512"


def test_references_of_other_providers_are_translated_or_told() -> None:
    result = imported(
        BASE
        + """\
config.providers = secrets, dir, vault
config.providers.secrets.class = org.apache.kafka.common.config.provider.FileConfigProvider
config.providers.dir.class = org.apache.kafka.common.config.provider.DirectoryConfigProvider
config.providers.vault.class = com.example.Vault
east.ssl.keystore.key = ${secrets:/etc/s.properties:key}
east.ssl.key.password = ${dir:/etc/secrets:password}
east.ssl.truststore.certificates = ${vault:a:b}
west.bootstrap.servers = ${vault:a:b}
topics = ${vault:a:b}
"""
    )
    assert result.draft.sections["source"]["settings"] == {
        "ssl.keystore.key": "${file:/etc/s.properties:key}",
        "ssl.key.password": "${file:/etc/secrets/password}",
    }
    lines = {key: line for key, (line, _, decide) in told(result).items() if decide}
    assert lines == {
        "east.ssl.truststore.certificates": 11,
        "west.bootstrap.servers": 12,
        "topics": 13,
    }


def test_a_secret_that_no_reference_can_name_is_left_out_and_told() -> None:
    result = imported(BASE + "east.ssl.key.password=hunter2\n", path=Path("/a:b/mm2.properties"))
    assert "hunter2" not in render(result.draft)
    assert "settings" not in result.draft.sections["source"]
    assert "move it" in told(result)["east.ssl.key.password"][1]


def test_a_way_in_that_kferry_does_not_know_is_said() -> None:
    result = imported(BASE + "east.security.protocol=SASL_SSL\neast.sasl.mechanism=GSSAPI\n")
    assert told(result)["east.sasl.mechanism"][0] == 6


def test_everything_that_is_not_understood_is_listed_with_its_line() -> None:
    result = imported(
        BASE
        + IDENTITY
        + """\
frobnicate = hunter2
east.frob = 1
east->west.frob = 2
tasks.max = 4
offset-syncs.topic.replication.factor = 1
transforms = mask
topics = a&&b, [[:alpha:]], \\\\p{L}+, ok
replication.policy.separator = _
topic.filter.class = org.apache.kafka.connect.mirror.DefaultTopicFilter
group.filter.class = com.example.Mine
groups = g1, g2.*
sync.group.offsets.enabled = true
west->east.topics = x
west->east.enabled = false
replication.factor = lots
"""
    )
    assert [(one.line, one.key) for one in result.unknown] == [
        (6, "frobnicate"),
        (7, "east.frob"),
        (8, "east->west.frob"),
    ]
    found = told(result)
    assert found["tasks.max"][2] is False
    assert found["offset-syncs.topic.replication.factor"][2] is False
    assert found["transforms"][2] is True
    assert found["group.filter.class"][2] is True
    assert "topic.filter.class" not in found
    assert "g1, g2.*" in found["sync.group.offsets.enabled"][1]
    assert found["replication.factor"][1] == "is no number of replicas"
    assert found["west->east"][1] == "is a migration of its own"
    parts = [one for one in result.told if one.key == "topics"]
    assert [one.line for one in parts] == [12, 12, 12]
    assert result.draft.sections["topics"]["include"] == ["ok"]
    text = render(result.draft)
    assert "#   line 6: frobnicate\n" in text
    assert "hunter2" not in text


def test_every_key_of_the_file_is_used_or_named() -> None:
    text = BASE + IDENTITY + "a = 1\ntasks.max = 1\ntransforms = x\neast.producer.linger.ms = 5\n"
    rendered = render(imported(text).draft)
    for key in ("a", "tasks.max", "transforms", "east.producer.linger.ms"):
        assert key in rendered


def test_names_by_code_of_ones_own_are_a_decision() -> None:
    result = imported(BASE + "replication.policy.class = com.example.Policy\n")
    assert told(result)["replication.policy.class"][0] == 5
    assert "rename" not in result.draft.sections["topics"]


def test_a_topic_that_is_named_and_excluded_was_never_copied() -> None:
    result = imported(BASE + "topics = __x, ab, orders, a.*\ntopics.exclude = __.*, a.*\n")
    assert result.draft.sections["topics"]["include"] == ["orders", "a*"]


def test_a_connectors_configuration_says_the_same(tmp_path: Path) -> None:
    file = load(
        tmp_path,
        IDENTITY
        + """\
name = mm2
connector.class = org.apache.kafka.connect.mirror.MirrorSourceConnector
source.cluster.alias = east
target.cluster.alias = west
source.cluster.bootstrap.servers = e1:9092
source.cluster.security.protocol = SASL_PLAINTEXT
source.cluster.sasl.mechanism = PLAIN
source.cluster.sasl.jaas.config = x required username="u" password="hunter2";
target.cluster.bootstrap.servers = w1:9092
source.consumer.auto.offset.reset = latest
topics = orders
""",
    )
    assert file.source is not None
    assert file.source.sasl is not None
    assert file.source.sasl.password.reveal() == "hunter2"
    assert meant(file, "orders", "x") == ["orders"]
    assert file.copy.start == FromEnd()
    assert file.name == "east-to-west"


@pytest.mark.parametrize(
    ("expression", "pattern"),
    [
        ("orders", "orders"),
        (r"orders\.v1", "orders.v1"),
        ("orders.v1", "/orders.v1/"),
        (".*", "*"),
        ("a.*b.*", "a*b*"),
        ("ab*", "/ab*/"),
        ("a.+", "/a.+/"),
        ("(a|b)", "/(a|b)/"),
        ("a.*+", "/a.*+/"),
        ("a$", "/a$/"),
        (r"\Qa\E", None),
        ("[a-z&&[b]]", None),
        ("(?<x>a)", None),
        ("(", None),
        ("a{1", "/a{1/"),
    ],
)
def test_java_expressions(expression: str, pattern: str | None) -> None:
    found = translate(expression)
    assert found.patterns == (() if pattern is None else (pattern,))
    assert found.not_understood == ((expression,) if pattern is None else ())


@pytest.mark.parametrize("key", ["topics", "frob", "sasl.kerberos.service.name", "ssl.frob", ""])
def test_no_reason_is_made_up(key: str) -> None:
    assert reason_for(key) is None


def test_the_command_says_what_is_left_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mm2.properties").write_text(
        BASE + "frob=hunter2\ntransforms=x\neast.ssl.truststore.location=/nowhere.jks\n",
        encoding="utf-8",
    )
    command = ["init", "--from-mm2", "mm2.properties", "--source", "e9:1"]
    assert run([*command, "--name", "mine", "--target", "127.0.0.1:1"]) == ExitCode.DONE
    out, err = capsys.readouterr()
    assert "1 thing not understood:\n  line 5: frob\n" in out
    assert "transforms: changes records" in out
    assert "cannot read /nowhere.jks" in out
    assert "hunter2" not in out + err
    assert err.endswith("next: mend kferry.yaml, then `kferry check`\n")
    text = Path("kferry.yaml").read_text(encoding="utf-8")
    assert "name: mine\n" in text
    assert "bootstrap: [e9:1]" in text


def test_earliest_is_what_a_copy_does_anyway() -> None:
    result = imported(BASE + "east.consumer.auto.offset.reset = earliest\n")
    assert "copy" not in result.draft.sections
    assert not result.unknown
