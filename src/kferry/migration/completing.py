"""The end of a copy's special treatment: topics get the settings that they shall have.

Owns the order: set, read back, then write down that it was done. Additive in nothing but these
settings; no record is touched.
"""

import dataclasses
from collections.abc import Iterable

from kferry.copying import Slot
from kferry.errors import ExitCode, KferryError
from kferry.migration.book import TopicEntry
from kferry.migration.strangers import made_by_others
from kferry.topics import Failures, restore
from kferry.wire import Cluster, Topic

_UNKNOWN_TOPIC = 3


class NotCompleted(KferryError):
    """Some topics could not be given their settings."""

    code = "K220"
    exit_code = ExitCode.FAILED


class NotOurs(KferryError):
    """Somebody has deleted the target's topic and made it anew."""

    code = "K222"
    exit_code = ExitCode.REFUSED

    def __init__(self, entry: TopicEntry, topic: Topic) -> None:
        super().__init__(
            f"{entry.target} was deleted and made anew on the target",
            f"its topic id was {entry.target_id}, and is {topic.id}",
            hint="its settings are its maker's; leave it out with --topic",
            changed="Its settings are as they were.",
        )


async def complete_topics(
    target: Cluster, slot: Slot, entries: Iterable[TopicEntry]
) -> list[TopicEntry]:
    """Set what the topics shall have; return them as they are now."""
    waiting = [entry for entry in entries if entry.suspended]
    if not waiting:
        return []
    others = await made_by_others(target, waiting)
    metadata = await target.refresh({entry.target for entry in waiting})
    failures: Failures = {}
    ours = []
    for entry in waiting:
        topic = metadata.topics.get(entry.target)
        absent = topic is None or topic.error_code == _UNKNOWN_TOPIC
        if entry.target_id is None and (absent or entry.source in others):
            continue  # it was to be made, and was not: nothing of it is ours to set
        if topic is not None and _another(entry, topic):
            failures[entry.target] = NotOurs(entry, topic)
        else:
            ours.append(entry)
    waiting = [entry for entry in waiting if entry in ours or entry.target in failures]
    if not waiting:
        return []
    failures |= await restore(target, {entry.target: entry.finish for entry in ours})
    done = [
        dataclasses.replace(entry, completed=True)
        for entry in waiting
        if failures[entry.target] is None
    ]
    if done:
        await slot.writer.write([[entry.document()] for entry in done])
    failed = {name: failure for name, failure in failures.items() if failure is not None}
    if failed:
        raise NotCompleted(
            f"{len(failed)} topics did not get their final settings",
            "\n".join(f"{name}: {failure}" for name, failure in failed.items()),
            hint="mend it, then `kferry complete` does the rest",
            changed=f"{len(done)} other topics got theirs.",
        )
    return done


def _another(entry: TopicEntry, topic: Topic) -> bool:
    """Whether the ids are known and differ; brokers before 2.8 give none."""
    return topic.id is not None and entry.target_id not in {None, "none", str(topic.id)}
