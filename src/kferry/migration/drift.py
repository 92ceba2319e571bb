"""Settings that change on the source while records are copied.

Owns noticing and telling. Nothing is changed on the target by it: `kferry plan` shows what it would
take, and `apply` does it.
"""

from collections.abc import Collection, Mapping

from kferry.names import TopicName
from kferry.topics.effective import effective_configs
from kferry.topics.inventory import set_on_topic
from kferry.wire import Cluster, WireError

_Settings = Mapping[str, str | None]


class Drift:
    """Compares what is set on topics with what was set at the last look."""

    def __init__(self) -> None:
        self._known: dict[TopicName, _Settings] = {}

    async def look(self, source: Cluster, topics: Collection[TopicName]) -> list[str]:
        """Return one sentence for each setting that is another since the last look."""
        told: list[str] = []
        for name, found in sorted((await effective_configs(source, topics)).items()):
            if isinstance(found, WireError):
                continue  # may not be asked, or not now: nothing is known to have changed
            now = set_on_topic(found)
            before = self._known.get(name)
            self._known[name] = now
            if before is not None:
                told += [
                    f"{name}: {setting} changed on the source, {_shown(before.get(setting))} → "
                    f"{_shown(now.get(setting))}; `kferry plan` shows what it means for the target"
                    for setting in sorted(before.keys() | now.keys())
                    if before.get(setting) != now.get(setting)
                ]
        return told


def _shown(value: str | None) -> str:
    return "not set" if value is None else value
