"""Who may write to topics by the rules there are, and the rules that would keep them from it.

Owns the reading of rules as Kafka reads them: what is denied anywhere wins. Pure.
"""

from collections.abc import Collection, Iterable, Mapping

from kferry.access.names import EVERY, LITERAL, covers, is_about_topics
from kferry.admin.acls import Acl
from kferry.admin.operations import Operation, Resource
from kferry.names import TopicName

EVERYBODY = "User:*"
_WRITES = frozenset({Operation.WRITE.title, "All"})


def writers(
    rules: Collection[Acl], topics: Collection[TopicName]
) -> dict[str, tuple[TopicName, ...]]:
    """Return the principals that rules let write, each with the topics it is about."""
    found: dict[str, set[TopicName]] = {}
    for rule in rules:
        if is_about_topics(rule) and rule.permission == "allow" and rule.operation in _WRITES:
            own = {topic for topic in topics if covers(rule, topic)}
            if own:
                found.setdefault(rule.principal, set()).update(own)
    return {principal: tuple(sorted(own)) for principal, own in sorted(found.items())}


def unruled(rules: Collection[Acl], topics: Iterable[TopicName]) -> list[TopicName]:
    """Return the topics that no rule is about; a cluster may let everybody use those."""
    about = [rule for rule in rules if is_about_topics(rule)]
    return [topic for topic in topics if not any(covers(rule, topic) for rule in about)]


def is_denied(principal: str, topic: TopicName, rules: Iterable[Acl]) -> bool:
    """Whether a principal may write to a topic from nowhere."""
    return any(
        rule.permission == "deny"
        and rule.operation in _WRITES
        and rule.host == EVERY
        and rule.principal in {principal, EVERYBODY}
        and is_about_topics(rule)
        and covers(rule, topic)
        for rule in rules
    )


def denials(who: Mapping[str, Collection[TopicName]], rules: Collection[Acl]) -> list[Acl]:
    """Return the rules that are missing for these to write no more."""
    denying = [rule for rule in rules if rule.permission == "deny"]
    return [
        denial(principal, topic)
        for principal, topics in sorted(who.items())
        for topic in sorted(topics)
        if not is_denied(principal, topic, denying)
    ]


def denial(principal: str, topic: TopicName) -> Acl:
    """Return the rule that keeps one principal from writing to one topic."""
    return Acl(
        resource=Resource.TOPIC.value,
        name=topic,
        pattern=LITERAL,
        principal=principal,
        host=EVERY,
        permission="deny",
        operation=Operation.WRITE.title,
    )
