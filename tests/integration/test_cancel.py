"""A migration given up: what it left on the target is as it was, and topics go only if they may."""

import json
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from copying import Ended, copy, ended, kferry, sides
from inspecting import admin_of
from judge import PATIENCE_S
from machine import eventually
from test_groups_sync import committed
from test_inspect_groups import commit
from topic_making import ago, fill, make, own_configs, unique

from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox

_NONE = -1001
_RECENT = [ago(1000)] * 20


def of(sandbox: Sandbox, *arguments: str, migration: str, cwd: Path | None = None) -> Ended:
    return ended(kferry(*arguments, *sides(sandbox), "-m", migration, "--json", cwd=cwd))


def topics_of(cluster: Cluster) -> set[str]:
    return set(admin_of(cluster).list_topics(timeout=PATIENCE_S).topics)


def planted(sandbox: Sandbox, name: str) -> TopicName:
    topic = make(sandbox.source, unique(f"cancel-{name}"))
    fill(sandbox.source, topic, _RECENT)
    return topic


def place(cluster: Cluster, group: str, positions: list[TopicPartition]) -> None:
    """Commit positions; a coordinator that was just made may not be there at once."""

    def done() -> bool:
        try:
            commit(cluster, group, positions)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.COORDINATOR_LOAD_IN_PROGRESS:
                raise
            return False
        return True

    eventually(done)


def copied(sandbox: Sandbox, *topics: TopicName, migration: str) -> None:
    named = [f"--topic={topic}" for topic in topics]
    done = copy(sandbox, *named, "--suspend-retention", migration=migration)
    assert done.code == 0, done.said


def test_settings_and_positions_are_as_before_and_the_ledger_is_in_a_file(
    plain: Sandbox, tmp_path: Path
) -> None:
    ours, theirs = planted(plain, "ours"), planted(plain, "theirs")
    make(plain.target, theirs, configs={"retention.ms": "3600000", "cleanup.policy": "compact"})
    before = own_configs(plain.target, theirs)
    migration = str(ours)
    group = f"{ours}-group"
    place(plain.source, group, [TopicPartition(ours, 0, 7), TopicPartition(theirs, 0, 9)])
    place(plain.target, group, [TopicPartition(theirs, 0, 3)])
    copied(plain, ours, theirs, migration=migration)
    assert own_configs(plain.target, theirs) != before
    synced = of(plain, "groups", "sync", "--yes", migration=migration)
    assert synced.code == 0, synced.said
    assert committed(plain.target, group, ours)[0] == 7

    unsure = of(plain, "cancel", migration=migration, cwd=tmp_path)
    assert unsure.code == 2
    assert "nobody to ask" in unsure.said
    file = tmp_path / "kept.jsonl"
    done = of(plain, "cancel", "--yes", "--export", str(file), migration=migration, cwd=tmp_path)
    assert done.code == 0, done.said
    assert own_configs(plain.target, theirs) == before
    assert committed(plain.target, group, theirs)[0] == 3
    assert committed(plain.target, group, ours)[0] == _NONE
    left = topics_of(plain.target)
    assert {ours, theirs} <= left
    assert f"__kferry.{migration}" not in left
    documents = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(documents) == done.result["documents"]
    assert {"manifest", f"topic/{ours}"} <= {one["key"] for one in documents}
    assert file.stat().st_mode & 0o077 == 0
    partly = of(plain, "cancel", "--yes", "--topic", ours, migration=migration, cwd=tmp_path)
    assert partly.code == 2
    again = of(plain, "cancel", "--yes", migration=migration, cwd=tmp_path)
    assert (again.code, again.result["cancelled"]) == (0, False)
    assert committed(plain.source, group, ours)[0] == 7


def test_only_topics_that_hold_nothing_else_are_deleted_and_only_for_their_number(
    plain: Sandbox, tmp_path: Path
) -> None:
    clean, foreign, theirs = (planted(plain, name) for name in ("clean", "foreign", "theirs"))
    make(plain.target, theirs)
    migration = str(clean)
    copied(plain, clean, foreign, theirs, migration=migration)
    fill(plain.target, foreign, [ago(0)])
    for wrong, words in (("3", "1 topic would be deleted"), ("x", "is no number")):
        refused = of(
            plain, "cancel", "--yes", "--delete-created", wrong, migration=migration, cwd=tmp_path
        )
        assert refused.code == 2
        assert words in refused.said
    nameless = of(plain, "cancel", "--delete-created", "--yes", migration=migration, cwd=tmp_path)
    assert nameless.code == 2
    assert {clean, foreign, theirs, f"__kferry.{migration}"} <= topics_of(plain.target)
    done = of(plain, "cancel", "--yes", "--delete-created", "1", migration=migration, cwd=tmp_path)
    assert done.code == 0, done.said
    assert done.result["deleted"] == [clean]
    (kept,) = done.result["kept"]
    assert kept["topic"] == foreign
    assert "of others, from offset 20 on" in kept["reason"]
    eventually(lambda: clean not in topics_of(plain.target))
    assert {foreign, theirs} <= topics_of(plain.target)
    assert list(tmp_path.glob(f"kferry-ledger-{migration}-*.jsonl"))
    # What was deleted can be copied anew, from the beginning.
    copied(plain, clean, migration=migration)


def test_a_cutover_that_stands_still_is_rolled_back_first(plain: Sandbox, tmp_path: Path) -> None:
    topic = planted(plain, "open")
    migration = str(topic)
    hook = tmp_path / "hooks" / "on-silence"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 9\n")
    hook.chmod(0o755)
    walked = of(
        plain,
        *("cutover", "--scheme", "mirror", "--yes", "--topic", topic, "--hooks", "hooks"),
        migration=migration,
        cwd=tmp_path,
    )
    assert walked.code == 5, walked.said
    status = of(plain, "status", migration=migration).result["cutover"]
    assert (status["state"], status["walked"], status["step"]) == ("stopped", False, "silence")
    assert "exit code 9" in status["reason"]
    for command in ("cancel", "complete"):
        refused = of(plain, command, "--yes", migration=migration, cwd=tmp_path)
        assert refused.code == 5, refused.said
        assert "kferry rollback" in refused.said
    rolled = of(plain, "rollback", "--yes", migration=migration, cwd=tmp_path)
    assert rolled.code == 0, rolled.said
    (kept,) = of(plain, "status", migration=migration).result["cutovers"]
    assert kept["state"] == "undone"
    done = of(plain, "cancel", "--yes", migration=migration, cwd=tmp_path)
    assert done.code == 0, done.said
