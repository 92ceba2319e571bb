"""What kferry.yaml and flags wish of plan and apply, and what each wish means for one thing."""

from pathlib import Path

import pytest

from kferry.config import (
    TARGETS_DEFAULT,
    AccessWishes,
    MigrationFile,
    Renaming,
    TopicWishes,
    load_migration_file,
    parse_replication,
)
from kferry.config.plan_settings import MM2_EXCLUDES
from kferry.config.renaming import rename_pattern
from kferry.errors import ConfigError
from kferry.names import TopicName

FULL = """\
version: 1
topics:
  replication: default
  exclude_configs: [segment.*, "/flush\\\\..+/", retention.ms]
  mm2_excludes: yes
  clamp: on
  change: [payments*]
  configs:
    "*": {retention.ms: 1000, min.insync.replicas: default}
    payments: {retention.ms: 2000, unclean.leader.election.enable: yes}
access:
  acls: off
  quotas: off
  users: yes
  principals: {alice: bob, "Group:x": "User:y"}
  hold_back_writes: true
  secrets_file: secrets/users.properties
  generate_passwords: true
"""


def load(folder: Path, text: str) -> MigrationFile:
    path = folder / "kferry.yaml"
    path.write_text(text, encoding="utf-8")
    return load_migration_file(path, environment={})


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(folder, text)
    return refused.value.detail.splitlines()


def test_wishes_for_topics_mean_what_they_say(tmp_path: Path) -> None:
    wishes = load(tmp_path, FULL).topic_wishes
    assert wishes.replication == TARGETS_DEFAULT
    assert wishes.clamp
    taken = ("segment.bytes", "flush.ms", "flush", "retention.ms", "retention.bytes")
    assert [one for one in taken if wishes.takes_config(one)] == ["flush", "retention.bytes"]
    assert not any(map(wishes.takes_config, MM2_EXCLUDES))
    assert wishes.may_change(TopicName("payments-eu"))
    assert not wishes.may_change(TopicName("orders"))


def test_the_last_wish_for_a_config_counts(tmp_path: Path) -> None:
    wishes = load(tmp_path, FULL).topic_wishes
    assert wishes.configs_for(TopicName("orders")) == {
        "retention.ms": "1000",
        "min.insync.replicas": None,
    }
    assert wishes.configs_for(TopicName("payments")) == {
        "retention.ms": "2000",
        "min.insync.replicas": None,
        "unclean.leader.election.enable": "true",
    }


def test_wishes_for_access_mean_what_they_say(tmp_path: Path) -> None:
    wishes = load(tmp_path, FULL).access_wishes
    assert (wishes.acls, wishes.quotas, wishes.users) == (False, False, True)
    assert wishes.principal("User:alice") == "User:bob"
    assert wishes.principal("Group:x") == "User:y"
    assert wishes.principal("User:carol") == "User:carol"
    assert (wishes.user("alice"), wishes.user("carol")) == ("bob", "carol")
    assert wishes.hold_back_writes
    assert wishes.secrets_file == tmp_path / "secrets/users.properties"
    assert wishes.generate_passwords


def test_without_a_word_everything_goes_along_and_nothing_there_is_changed(tmp_path: Path) -> None:
    file = load(tmp_path, "version: 1\ntopics:\naccess:\n")
    assert file.topic_wishes == TopicWishes()
    assert file.access_wishes == AccessWishes()
    assert file.topic_wishes.takes_config("min.insync.replicas")
    assert not file.topic_wishes.may_change(TopicName("orders"))
    assert (file.access_wishes.acls, file.access_wishes.quotas) == (True, True)


def test_flags_add_to_the_file_and_win_over_it(tmp_path: Path) -> None:
    file = load(tmp_path, FULL)
    topics = file.topic_wishes.with_flags(replication=2, exclude_configs=["retention.bytes"])
    assert (topics.replication, topics.clamp, topics.mm2_excludes) == (2, True, True)
    assert not topics.takes_config("retention.bytes")
    assert not topics.takes_config("segment.bytes")
    assert file.topic_wishes.with_flags() == file.topic_wishes
    assert TopicWishes().with_flags(clamp=True, mm2_excludes=True).clamp
    access = AccessWishes().with_flags(secrets_file=Path("x"), hold_back_writes=True)
    assert (access.secrets_file, access.hold_back_writes) == (Path("x"), True)
    assert file.access_wishes.with_flags() == file.access_wishes


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
version: 1
topics:
  replication: many
  exclude_configs: ["/(/"]
  clamp: maybe
  change: [__kferry.x]
  configs:
    a: {retention.ms: }
    "/(/": {retention.ms: 1}
    b: [retention.ms]
    a: {}
  rename: {"a*b*": "x*", "/(.*)/": "\\\\2", "*": y, "x*": "__kferry.*"}
access:
  acl: on
  principals: {alice: "a:", "User:alice": bob, alice2: "", "User:alice2": c}
  generate_passwords: true
""",
    )
    expected = [
        ("line 3: ", "`many` is no replication"),
        ("line 4: ", "not a regular expression"),
        ("line 5: ", "`topics.clamp` must be true or false"),
        ("line 6: ", "own memory"),
        ("line 8: ", "`topics.configs.a.retention.ms` has no value; write `default`"),
        ("line 9: ", "not a regular expression"),
        ("line 10: ", "must be pairs"),
        ("line 11: ", "the first is on line 8"),
        ("line 12: ", "`a*b*` is not the name of a topic"),
        ("line 12: ", "invalid group reference"),
        ("line 12: ", "`*` is not the name of a topic, and no pattern"),
        ("line 12: ", "own memory"),
        ("line 14: ", "did you mean `acls`?"),
        ("line 15: ", "`a:` is no principal"),
        ("line 15: ", "`` is no principal"),
        ("line 16: ", "add `secrets_file:"),
    ]
    for line, words in expected:
        assert any(one.startswith(line) and words in one for one in found), (line, words, found)
    assert len(found) == len(expected), found


@pytest.mark.parametrize("text", ["0", "-1", "101", "two", "", "1.5", "9" * 5000])
def test_what_is_no_replication(text: str) -> None:
    with pytest.raises(ConfigError, match="--replication"):
        parse_replication(text, where="--replication")


def test_replications() -> None:
    given = ("source", "default", "3")
    assert [parse_replication(one, where="x") for one in given] == [None, TARGETS_DEFAULT, 3]


def test_a_whole_name_wins_then_the_first_pattern_that_fits(tmp_path: Path) -> None:
    file = load(
        tmp_path,
        """\
version: 1
topics:
  rename:
    "*": eu.*
    orders: bestellungen
    "/(a)-(.*)/": '\\2-\\1'
""",
    )
    rename = file.rename
    assert rename.get(TopicName("orders")) == "bestellungen"
    assert rename.get(TopicName("a-b")) == "eu.a-b"
    swapped = Renaming(patterns=[rename_pattern("/(a)-(.*)/", r"\2-\1")])
    assert swapped.get(TopicName("a-b"), TopicName("x")) == "b-a"
    assert swapped.get(TopicName("b"), TopicName("x")) == "x"
    on_top = rename | {TopicName("a-b"): TopicName("c")}
    assert (on_top[TopicName("a-b")], on_top[TopicName("b")]) == ("c", "eu.b")


def test_nobody_takes_patterns_apart_and_loses_them() -> None:
    whole = Renaming({TopicName("a"): TopicName("b")})
    assert {**whole} == {"a": "b"}
    assert whole == {"a": "b"}
    patterns = Renaming(patterns=[rename_pattern("*", "x.*")])
    with pytest.raises(ConfigError, match="whole names only"):
        _ = {**patterns}
    assert patterns != {}


def test_no_pattern_gives_the_name_of_a_ledger() -> None:
    sneaky = Renaming(patterns=[rename_pattern("/(.*)-(.*)/", r"\1.\2")])
    with pytest.raises(ConfigError, match="own memory"):
        sneaky.get(TopicName("__kferry-x"))
