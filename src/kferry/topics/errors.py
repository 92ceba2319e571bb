"""What can go wrong with topics on the target.

Owns the topics' part of the error tree.
"""

from typing import ClassVar

from kferry.errors import ExitCode, KferryError
from kferry.names import TopicName
from kferry.wire import BrokerError


class TopicError(KferryError):
    """Something about topics."""

    code: ClassVar[str] = "K500"


class BadTopicName(TopicError):
    """A name on the target that no topic can have, or that two would have."""

    code = "K501"
    exit_code = ExitCode.USAGE


class NotCreated(TopicError):
    """The target refuses to create a topic."""

    code = "K502"

    def __init__(self, topic: TopicName, refusal: BrokerError, *, hint: str) -> None:
        super().__init__(
            f"the topic {topic} was not created",
            f"{refusal.name}: {refusal.detail}",
            hint=hint or refusal.hint,
            changed="This topic was not created; others are not affected.",
        )
        self.topic, self.refusal = topic, refusal


class TopicExists(TopicError):
    """Somebody else created the topic since we looked."""

    code = "K503"
    exit_code = ExitCode.TRY_AGAIN

    def __init__(self, topic: TopicName) -> None:
        super().__init__(
            f"somebody else created the topic {topic} meanwhile",
            hint="run the command again: it will take the topic as it finds it",
        )
        self.topic = topic


class NoLeaders(TopicError):
    """A topic was created, and its partitions have no leaders."""

    code = "K504"
    exit_code = ExitCode.TRY_AGAIN

    def __init__(self, topic: TopicName, missing: int, partitions: int, seconds: float) -> None:
        super().__init__(
            f"the topic {topic} is not ready",
            f"{missing} of its {partitions} partitions had no leader within {seconds:g} s",
            hint="look at the target's brokers, then run the command again",
            changed=f"The topic {topic} was created.",
        )
        self.topic = topic


class UnsafeTarget(TopicError):
    """Records would not survive on the target, or not as they are."""

    code = "K505"
    exit_code = ExitCode.REFUSED


class NotAsSet(TopicError):
    """A config was set and read back, and is something else."""

    code = "K506"

    def __init__(self, topic: TopicName, detail: str) -> None:
        super().__init__(
            f"the configs of {topic} are not what was set",
            detail,
            hint=f"kafka-configs --describe --entity-type topics --entity-name {topic}",
            changed=f"The broker accepted new configs for {topic}.",
        )
        self.topic = topic
