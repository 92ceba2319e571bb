"""kferry.yaml: what it means, and all that is wrong with it in one go."""

from pathlib import Path

import pytest

from kferry.config import (
    Beginning,
    FromEnd,
    Given,
    MigrationFile,
    Protocol,
    Secret,
    Since,
    TopicSelection,
    Unconsumed,
    load_migration_file,
    parse_rate,
    parse_time,
)
from kferry.errors import ConfigError, ExitCode
from kferry.names import Address, TopicName

FULL = """\
version: 1
name: orders-2026
source:
  bootstrap: "a:9092,a2:9092"
  properties: client/source.properties
target:
  bootstrap: [b:9092]
  settings:
    security.protocol: SASL_PLAINTEXT
    sasl.mechanism: PLAIN
    sasl.jaas.config: 'x.PlainLoginModule required username="u" password="${PASSWORD}";'
topics:
  include: [orders*, payments]
  exclude: [orders-tmp*]
  rename: {payments: payments-new}
copy: {start: 2026-03-01 12:00, on_gap: record, rate: 50 MiB/s, append: true, pipelining: relaxed}
ledger: {slots: 4, replication: 1}
"""


def load(
    folder: Path,
    text: str,
    environment: dict[str, str] | None = None,
    *,
    source: Given | None = None,
) -> MigrationFile:
    path = folder / "kferry.yaml"
    path.write_text(text, encoding="utf-8")
    return load_migration_file(path, source=source or Given(), environment=environment or {})


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(folder, text)
    assert refused.value.exit_code == ExitCode.USAGE
    assert "kferry.yaml" in refused.value.title
    return refused.value.detail.splitlines()


def test_a_full_file_means_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "client").mkdir()
    (tmp_path / "client/source.properties").write_text("client.rack=r1\nbootstrap.servers=x:1\n")
    file = load(tmp_path, FULL, {"PASSWORD": "hunter2"})
    assert file.name == "orders-2026"
    assert file.source is not None
    assert file.source.bootstrap == (Address("a", 9092), Address("a2", 9092))
    assert file.source.rack == "r1"
    assert file.target is not None
    assert file.target.protocol is Protocol.SASL_PLAINTEXT
    assert file.target.sasl is not None
    assert file.target.sasl.password == Secret("hunter2")
    assert file.selection.matches(TopicName("orders-1"), internal=False)
    assert not file.selection.matches(TopicName("orders-tmp-1"), internal=False)
    assert file.rename == {"payments": "payments-new"}
    assert file.copy.start == Since(1772366400000)
    assert file.copy.start_assumed_utc
    assert (file.copy.on_gap, file.copy.rate) == ("record", 50 << 20)
    assert (file.copy.append, file.copy.suspend_retention) == (True, False)
    assert file.copy.pipelining == "relaxed"
    assert (file.ledger.slots, file.ledger.replication) == (4, 1)


def test_nothing_but_a_version_is_a_file(tmp_path: Path) -> None:
    file = load(tmp_path, "version: 1\n# the rest is on the command line\ntopics:\ncopy:\n")
    assert file == MigrationFile(path=tmp_path / "kferry.yaml")


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ("beginning", Beginning()),
        ("end", FromEnd()),
        ("unconsumed", Unconsumed()),
        ("1772366400000", Since(1772366400000)),
        ("2026-03-01T14:00:00+02:00", Since(1772366400000)),
    ],
)
def test_where_a_copy_starts(tmp_path: Path, written: str, start: object) -> None:
    assert load(tmp_path, f"version: 1\ncopy: {{start: {written}}}").copy.start == start


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
version: 1
nam: x
name: "a b"
source:
  bootstrap: "a:9092,b"
  settings: {sasl.mechanism: PLAIN, security.protocol: SALS}
target: {bootstrap: "b:1", propertis: x}
topics:
  include: [orders*, "/(/", __kferry.x, a, [b]]
  exclude: [a]
  rename: {a: b, orders-1: b, "x*": y, zzz: q}
copy:
  start: yesterday
  rate: 50Mb/s
  append: 1
  on_gap: maybe
  rate: 3
ledger: {slots: 0, replication: two}
copy: {}
""",
    )
    expected = [
        ("line 2: ", "did you mean `name`?"),
        ("line 3: ", "`a b`"),
        ("line 6: ", "`SALS` is not a protocol"),
        ("line 7: ", "did you mean `properties`?"),
        ("line 9: ", "/(/ is not a regular expression"),
        ("line 9: ", "__kferry.x"),
        ("line 9: ", "`topics.include` must be a list of single values"),
        ("line 9: ", "`a` is included by its name, and excluded"),
        ("line 11: ", "`a` is renamed, but not among the topics"),
        ("line 11: ", "would both become `b`"),
        ("line 11: ", "`x*` is not the name of a topic"),
        ("line 11: ", "`zzz` is renamed, but not among the topics"),
        ("line 13: ", "`yesterday` is not a time"),
        ("line 14: ", "`50Mb/s` is not a rate"),
        ("line 15: ", "`copy.append` must be true or false"),
        ("line 16: ", "`stop` or `record`"),
        ("line 17: ", "the first is on line 14"),
        ("line 18: ", "`ledger.slots`"),
        ("line 18: ", "`ledger.replication`"),
        ("line 19: ", "the first is on line 12"),
    ]
    for line, words in expected:
        assert any(one.startswith(line) and words in one for one in found), (line, words, found)
    assert len(found) == len(expected)
    lines = [int(one.split()[1].rstrip(":")) for one in found]
    assert lines == sorted(lines)


def test_an_address_that_is_none_is_named_at_its_line(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "version: 1\nsource:\n  bootstrap: a\n")
    assert found.startswith("line 3: source: bootstrap.servers: `a` is not an address")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "cannot be read"),
        ("a: &x [*x]", "an alias that contains itself"),
        ("[" * 5000, "nested deeper"),
        ("a: \x01", "a character that YAML does not allow"),
        ("version: 1\n---\nversion: 1", "cannot be read"),
        ("- version", "the file must hold"),
        ("", "`version` is missing"),
        ("name: x", "`version` is missing"),
        ("version: 2\nfuture: yes", "a higher one is for a newer kferry"),
        ("version: 1\nsource: {}", "`source` names no cluster"),
        ("version: 1\nsource: a:9092", "`source` must hold"),
        ("version: 1\nsource: {properties: nowhere}", "nowhere: No such file"),
        ("version: 1\n? [a]\n: b", "a key must be a word"),
        ("version: 1\ntopics: {rename: [a]}", "must be pairs"),
        ("version: 1\ntopics: {rename: {a: __kferry.x}}", "kept for kferry's own memory"),
        ("version: !!python/object:os.system {}", "`version` must be a single value"),
    ],
)
def test_what_is_no_migration_file_is_said_to_be_none(
    tmp_path: Path, text: str, words: str
) -> None:
    assert any(words in line for line in problems(tmp_path, text))


def test_aliases_that_multiply_cost_nothing(tmp_path: Path) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert problems(tmp_path, f"version: 1\na0: &a0 [x]\n{levels}")


@pytest.mark.parametrize(
    "setting",
    [
        "ssl.key.password: hunter2",
        "ssl.keystore.key: hunter2",
        "ssl.key.password: hunter2${NAME}",
        'sasl.jaas.config: \'x required username="${NAME}" password="hunter2";\'',
        "sasl.jaas.config: 'hunter2 ${NAME}'",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, setting: str) -> None:
    found = problems(
        tmp_path, f"version: 1\nsource:\n  bootstrap: a:1\n  settings:\n    {setting}\n"
    )
    assert len(found) == 1
    assert found[0].startswith("line 5: ")
    assert "holds a secret" in found[0]
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    "text", ["a: *hunter2", "a: !hunter2! x", "a: '\nb: hunter2", "a: @hunter2"]
)
def test_what_cannot_be_parsed_is_not_quoted(tmp_path: Path, text: str) -> None:
    assert "hunter2" not in "".join(problems(tmp_path, text))


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "ca.pem").write_text("not one\n")
    jaas = 'x required username="u" password="${file:secret}";'
    text = f"""\
version: 1
source:
  bootstrap: a:1
  settings:
    security.protocol: SASL_PLAINTEXT
    sasl.mechanism: PLAIN
    sasl.jaas.config: '{jaas}'
"""
    source = load(tmp_path, text).source
    assert source is not None
    assert source.sasl is not None
    assert source.sasl.password.reveal() == "hunter2"
    (found,) = problems(tmp_path, f"{text}    ssl.truststore.location: ca.pem\n")
    assert str(tmp_path / "ca.pem") in found


def test_what_the_command_line_names_need_not_be_right_in_the_file(tmp_path: Path) -> None:
    text = "version: 1\nsource: {properties: nowhere}\n"
    assert load(tmp_path, text, source=Given(whole=True)).source is None
    text = "version: 1\nsource: {bootstrap: wrong, settings: {client.rack: r}}\n"
    source = load(tmp_path, text, source=Given(bootstrap="a:1")).source
    assert source is not None
    assert (source.bootstrap, source.rack) == ((Address("a", 1),), "r")


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_migration_file(tmp_path / "kferry.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(ConfigError, match="too large"):
        load_migration_file(tmp_path / "large.yaml")


def test_excludes_win_and_ledgers_are_never_meant() -> None:
    selection = TopicSelection.parse([], exclude=["tmp", "/x.*/"])
    meant = [
        n for n in ("a", "tmp", "tmp2", "xy") if selection.matches(TopicName(n), internal=False)
    ]
    assert meant == ["a", "tmp2"]
    assert not TopicSelection.parse(["*"]).matches(TopicName("__kferry.a"), internal=False)
    named = TopicSelection(exact=frozenset({TopicName("__kferry.a")}))
    assert not named.matches(TopicName("__kferry.a"), internal=False)
    with pytest.raises(ConfigError, match="own memory"):
        TopicSelection.parse(["__kferry.a"])


def test_narrowing_keeps_only_what_both_mean() -> None:
    wide = TopicSelection.parse(["orders*", "pay"], exclude=["orders-tmp"])
    narrow = wide.narrowed(["*-1", "*-tmp", "pay"])
    names = ("orders-1", "orders-2", "orders-tmp", "pay", "x-1")
    meant = [name for name in names if narrow.matches(TopicName(name), internal=False)]
    assert meant == ["orders-1", "pay"]
    with pytest.raises(ConfigError, match="clicks"):
        wide.narrowed(["clicks"])


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("50MiB/s", 50 << 20),
        ("1.5 KiB", 1536),
        ("2kB/s", 2000),
        ("3MB", 3_000_000),
        ("1 GiB /s", 1 << 30),
        ("4096", 4096),
    ],
)
def test_rates(text: str, rate: int) -> None:
    assert parse_rate(text, where="--rate") == rate


@pytest.mark.parametrize("text", ["", "fast", "50Mb/s", "50mb", "-1", "0", "1e9", "5 TiB/h", "0.1"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ConfigError, match="--rate"):
        parse_rate(text, where="--rate")


def test_times_without_a_zone_are_utc_and_say_so() -> None:
    assert parse_time("2026-03-01T12:00:00", where="x") == (1772366400000, True)
    assert parse_time("2026-03-01T12:00:00Z", where="x") == (1772366400000, False)
    assert parse_time("2026-03-01", where="x") == (1772323200000, True)
    assert parse_time("1772366400000", where="x") == (1772366400000, False)


@pytest.mark.parametrize(
    "text", ["", "noon", "1772366400", "20260301", "-5", "1969-01-01", "9" * 4000]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ConfigError, match="--since"):
        parse_time(text, where="--since")
