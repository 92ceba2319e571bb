"""`kferry init`: a file that explains every key, reads back, and is never written over another."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.cli.main import run
from kferry.config import load_migration_file
from kferry.config.access_section import ACCESS_KEYS
from kferry.config.cluster_section import CLUSTER_KEYS
from kferry.config.migration_file import COPY_KEYS, FILE_KEYS, LEDGER_KEYS
from kferry.config.topics_section import TOPICS_KEYS
from kferry.config.yaml_nodes import Scalar, Table, read_yaml
from kferry.errors import ExitCode
from kferry.migration.init_keys import CHAPTERS
from kferry.migration.init_text import Draft, render
from kferry.migration.init_yaml import entry, scalar
from kferry.names import Address


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_without_clusters_is_one_that_we_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--name", "orders-2026"]) == ExitCode.DONE
    out, err = capsys.readouterr()
    assert out == "kferry.yaml is written.\n"
    assert err == "next: fill in source and target, then `kferry check`\n"
    assert load_migration_file(Path("kferry.yaml")).name == "orders-2026"


def test_a_file_that_is_there_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    there = Path("kferry.yaml")
    there.write_text("mine\n", encoding="utf-8")
    assert run(["init"]) == ExitCode.USAGE
    assert "there already" in capsys.readouterr().err
    assert there.read_text(encoding="utf-8") == "mine\n"
    there.unlink()
    there.symlink_to("nowhere")
    assert run(["init"]) == ExitCode.USAGE
    assert not Path("nowhere").exists()


def test_every_key_that_is_read_is_explained_in_its_place() -> None:
    read = {
        "source": CLUSTER_KEYS,
        "target": CLUSTER_KEYS,
        "topics": TOPICS_KEYS,
        "access": ACCESS_KEYS,
        "copy": COPY_KEYS,
        "ledger": LEDGER_KEYS,
    }
    assert {"version", "name", *read} == set(FILE_KEYS)
    assert [chapter.name for chapter in CHAPTERS] == list(read)
    for chapter in CHAPTERS:
        assert {key.name for key in chapter.keys} == set(read[chapter.name]), chapter.name
        assert all(key.says for key in chapter.keys)


def test_with_every_key_switched_on_it_is_valid_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFERRY_PASSWORD", "x")
    on = re.sub(r"(?m)^( *)#(?! \S)", r"\1", render(Draft()))
    path = Path("kferry.yaml")
    # What the examples name need not be here.
    on = re.sub(r"(?m)^ *(properties: |ssl\.truststore).*\n", "", on)
    path.write_text(on, encoding="utf-8")
    file = load_migration_file(path)
    assert file.source is not None
    assert file.source.bootstrap == (Address("kafka-1", 9092), Address("kafka-2", 9092))
    assert file.name == "orders-2026"
    assert file.topic_wishes.configs
    assert file.access_wishes.principals
    assert file.copy.rate == 50 << 20
    assert (file.ledger.slots, file.ledger.replication) == (8, 3)


def test_no_line_of_prose_is_wider_than_a_screen() -> None:
    lines = render(Draft()).splitlines()
    assert not [one for one in lines if len(one) > 100 and "jaas" not in one]


def test_what_clusters_say_stays_in_its_comment() -> None:
    draft = Draft(tail=["a\nversion: 2", "\u2028b: 1", "\x85c: 1", "\x1b[31m", "d"])
    draft.remark("topics", "  x\r\nevil: 1")
    text = render(draft)
    assert "\x1b" not in text
    root = read_yaml(text)
    assert isinstance(root, Table)
    keys = [key.text for key, _ in root.entries if isinstance(key, Scalar)]
    assert keys == ["version", "topics", "access", "copy", "ledger"]


@given(st.text())
def test_every_text_reads_back_as_it_was(text: str) -> None:
    # A lone half of a character is none, and no file can hold it.
    text = text.encode("utf-8", "replace").decode()
    node = read_yaml("\n".join(entry(text or "k", {"k": text, "l": {"m": text}})))
    assert isinstance(node, Table)
    ((key, inner),) = node.entries
    assert isinstance(key, Scalar)
    assert key.text == (text or "k")
    assert isinstance(inner, Table)
    (_, first), (_, second) = inner.entries
    assert isinstance(first, Scalar)
    assert (first.text, first.kind) == (text, "text")
    assert isinstance(second, Table)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("orders", "orders"),
        ("kafka-1:9092", "kafka-1:9092"),
        ("yes", '"yes"'),
        ("1", '"1"'),
        ("a: b", '"a: b"'),
        ("*", '"*"'),
        (r"\1", r"'\1'"),
        ("", '""'),
        (True, "true"),
        (3, "3"),
    ],
)
def test_single_values(value: str | int, written: str) -> None:
    assert scalar(value) == written


def test_long_lists_go_down_the_page() -> None:
    names = [f"topic-{number}" for number in range(30)]
    lines = entry("include", names, indent=2)
    assert lines[:2] == ["  include:", "    - topic-0"]
    assert len(lines) == 31


def test_paths_stay_right_where_the_file_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("sub/a.properties", "b.properties"):
        Path(name).write_text("bootstrap.servers=127.0.0.1:1\n", encoding="utf-8")
    command = "init --source-config sub/a.properties --target-config b.properties"
    assert run([*command.split(), "--out", "sub/k.yaml", "--json"]) == ExitCode.DONE
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "file": "sub/k.yaml",
        "name": None,
        "topics": None,
        "problems": [],
        "decide": [],
        "not_understood": [],
    }
    assert "the source could not be looked at" in err
    assert "the target could not be looked at" in err
    text = Path("sub/k.yaml").read_text(encoding="utf-8")
    assert "  properties: a.properties\n" in text
    assert f"  properties: {tmp_path / 'b.properties'}\n" in text


def test_topics_of_the_command_line_are_those_of_the_file() -> None:
    assert run(["init", "--topic", "orders*", "--topic", "/a|b/", "-m", "x"]) == ExitCode.DONE
    file = load_migration_file(Path("kferry.yaml"))
    assert [one.text for one in file.selection.patterns] == ["orders*", "/a|b/"]
    assert file.name == "x"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-c", "other.yaml"], "init writes a migration file"),
        (["--flow", "a->b"], "--flow goes with --from-mm2"),
        (["--name", "a b"], "cannot be the name"),
        (["--topic", "/(/"], "not a regular expression"),
        (["--source", "nowhere"], "is not an address"),
        (["--out", "no/such/folder.yaml"], "cannot write"),
        (["--from-mm2", "nowhere.properties"], "cannot read"),
    ],
)
def test_what_cannot_be_leaves_no_file(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", *arguments]) == ExitCode.USAGE
    assert words in capsys.readouterr().err
    assert not Path("kferry.yaml").exists()
