"""The end of a copy's special treatment: topics get the settings that they shall have.

Owns the order: set, read back, then write down that it was done. Additive in nothing but these
settings; no record is touched.
"""

import dataclasses
from collections.abc import Iterable

from kferry.copying import Slot
from kferry.errors import ExitCode, KferryError
from kferry.migration.book import TopicEntry
from kferry.topics import restore
from kferry.wire import Cluster


class NotCompleted(KferryError):
    """Some topics could not be given their settings."""

    code = "K220"
    exit_code = ExitCode.FAILED


async def complete_topics(
    target: Cluster, slot: Slot, entries: Iterable[TopicEntry]
) -> list[TopicEntry]:
    """Set what the topics shall have; return them as they are now."""
    waiting = [entry for entry in entries if entry.suspended]
    if not waiting:
        return []
    failures = await restore(target, {entry.target: entry.finish for entry in waiting})
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
            hint="mend it and run `kferry copy … --until-caught-up --complete` again",
            changed=f"{len(done)} other topics got theirs.",
        )
    return done
