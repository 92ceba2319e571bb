"""The same work as commands of the official tools, for whoever may run them.

Owns their wording. Knows neither addresses nor credentials: whoever shows a command adds them.
"""

import shlex
from collections.abc import Mapping

from kferry.admin.topic_changes import NewTopic
from kferry.topics.applying import TopicWork
from kferry.topics.creation import BROKER_DEFAULT

Command = tuple[str, str]
"""A tool, and its arguments."""


def create_command(topic: NewTopic) -> Command:
    """Create a topic."""
    words = ["--create", "--topic", topic.name, "--partitions", str(topic.partitions)]
    if topic.replication != BROKER_DEFAULT:
        words += ["--replication-factor", str(topic.replication)]
    for name, value in sorted(topic.configs.items()):
        words += ["--config", f"{name}={value}"]
    return "kafka-topics", shlex.join(words)


def topic_commands(work: TopicWork) -> list[Command]:
    """Do a topic's work."""
    if work.creates:
        return [create_command(work.new)]
    commands = []
    if work.partitions is not None:
        words = ["--alter", "--topic", work.target, "--partitions", str(work.partitions)]
        commands.append(("kafka-topics", shlex.join(words)))
    if work.configs:
        commands.append(set_command(work.target, work.configs))
    return commands


def set_command(topic: str, configs: Mapping[str, str | None]) -> Command:
    """Set configs of a topic, and take others back to their defaults."""
    words = ["--alter", "--entity-type", "topics", "--entity-name", topic]
    given = {name: value for name, value in sorted(configs.items()) if value is not None}
    lifted = [name for name, value in sorted(configs.items()) if value is None]
    if given:
        words += ["--add-config", ",".join(f"{name}={_listed(given[name])}" for name in given)]
    if lifted:
        words += ["--delete-config", ",".join(lifted)]
    return "kafka-configs", shlex.join(words)


def _listed(value: str) -> str:
    """A comma would end the value."""
    return f"[{value}]" if "," in value else value
