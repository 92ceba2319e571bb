"""Command lines out of Kafka's documents are read in our words, and that is said."""

import pytest

from kferry.cli import main as command_line
from kferry.cli.kafka_words import understood
from kferry.errors import ExitCode, UsageError


def read(line: str) -> tuple[str, list[str]]:
    said: list[str] = []
    return " ".join(understood(line.split(), said.append)), said


@pytest.mark.parametrize(
    ("line", "ours", "notices"),
    [
        (
            "offsets get --broker-list a:1 --topic t --time -1",
            "offsets get --target a:1 --topic t --time -1",
            1,
        ),
        (
            (
                "groups reset --new-consumer --bootstrap-server a:1 --reset-offsets --to-datetime "
                "2019-03-05T00:00:00.000 --group g --topic t -excute"
            ),
            (
                "groups reset --target a:1 --to-datetime 2019-03-05T00:00:00.000 --group g "
                "--topic t --execute"
            ),
            4,
        ),
        ("groups reset --excute", "groups reset --execute", 1),
        (
            "offsets get --bootstrap-server=a:1 --command-config f --topic t.*,u",
            "offsets get --target a:1 --target-config f --topic /t.*|u/",
            3,
        ),
        (
            "offsets get --broker-list a:1 --offsets 1 --max-wait-ms 5",
            "offsets get --target a:1",
            3,
        ),
        ("groups reset --timeout 5 --group -excute", "groups reset --group -excute", 1),
        # Ours stay as they are, and so do other commands.
        ("offsets get --source a:1 --topic t.*", "offsets get --source a:1 --topic t.*", 0),
        ("groups sync --new-consumer", "groups sync --new-consumer", 0),
        ("sandbox run x --bootstrap-server a:1", "sandbox run x --bootstrap-server a:1", 0),
        ("groups reset --bootstrap-server", "groups reset --bootstrap-server", 0),
    ],
)
def test_old_spellings_are_read_as_ours(line: str, ours: str, notices: int) -> None:
    found, said = read(line)
    assert found == ours
    assert len(said) == notices, said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("groups reset --zookeeper a:2181 --group g", "older than Kafka 0.9"),
        ("offsets get --broker-list a:1 --source b:1", "both name a cluster"),
        ("offsets get --broker-list a:1 --target-config=f", "both name a cluster"),
    ],
)
def test_what_has_no_counterpart_is_refused(line: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(line)


RESET = ["groups", "reset", "--target", "a:1"]
ONE = [*RESET, "--group", "g", "--topic", "t"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["groups", "reset", "--group", "g", "--topic", "t", "--to-latest"],
            "no cluster was named",
        ),
        ([*ONE, "--source", "b:1", "--to-latest"], "two clusters were named"),
        ([*ONE, "--on", "source", "--to-latest"], "no source was named"),
        (ONE, "where to was not said"),
        ([*ONE, "--to-latest", "--to-offset", "0"], "--to-latest and --to-offset exclude"),
        ([*RESET, "--topic", "t", "--to-latest"], "no group was named"),
        ([*RESET, "--group", "", "--topic", "t", "--to-latest"], "an empty name"),
        ([*RESET, "--group", "g", "--to-latest"], "no topic was named"),
        ([*ONE, "--all-groups", "--to-latest"], "--group and --all-groups exclude"),
        ([*ONE, "--all-topics", "--to-latest"], "--topic and --all-topics exclude"),
        ([*ONE, "--to-offset", "-1"], "-1 is no offset"),
        ([*ONE, "--to-offset", "x"], "x is no offset"),
        ([*ONE, "--to-offset", "9223372036854775808"], "is no offset"),
        ([*ONE, "--shift-by", "1.5"], "is no number of offsets"),
        ([*ONE, "--to-datetime", "2019-03-05 25:00"], "is not a time"),
        ([*ONE, "--by-duration", "7d"], "P7D"),
        ([*ONE, "--from-file", "/nowhere.csv"], "--from-file names the topics"),
        ([*RESET, "--group", "g", "--from-file", "/nowhere.csv"], "cannot read /nowhere.csv"),
        ([*RESET, "--group", "g", "--from-file", "/"], "cannot read /"),
        ([*ONE, "--to-latest", "--execute", "--dry-run"], "exclude each other"),
        ([*ONE, "--to-latest", "--export", "--json"], "exclude each other"),
        ([*RESET, "--group", "g", "--topic", "t:x", "--to-latest"], "is not a list of partitions"),
        ([*RESET, "--group", "g", "--topic", ":0", "--to-latest"], "names no topic"),
        (["offsets", "get", "--both", "--target", "a:1"], "only one cluster was named"),
        (["offsets", "get", "--both", "--csv", "--target", "a:1", "--source", "b:1"], "exclude"),
        (
            ["offsets", "get", "--target", "a:1", "--topic", "t", "--topic-partitions", "t:0"],
            "stands without --topic",
        ),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert command_line.run(arguments) == ExitCode.USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err.replace("\n│ ", " ")
    assert "│ hint: " in shown.err
