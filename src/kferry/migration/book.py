"""What a migration remembers of itself in its ledger: the clusters, the topics, who works on it.

Owns the layout of these documents. Positions and maps are `copying`'s; how documents lie in a topic
is the ledger's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kferry.copying import BadDocument
from kferry.errors import ExitCode, KferryError
from kferry.names import TopicName

MANIFEST = "manifest"
_TOPIC = "topic/"


class OtherClusters(KferryError):
    """The ledger was made for other clusters than those that answer."""

    code = "K204"
    exit_code = ExitCode.LEDGER_HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Which clusters a migration is between."""

    migration: str
    source_id: str
    target_id: str

    def document(self) -> tuple[str, Mapping[str, Any]]:
        """Write it down."""
        return MANIFEST, {
            "migration": self.migration,
            "source": self.source_id,
            "target": self.target_id,
        }

    def insist(self, *, source_id: str | None, target_id: str) -> None:
        """Refuse other clusters than these."""
        for side, known, found in (
            ("source", self.source_id, source_id),
            ("target", self.target_id, target_id),
        ):
            if found is not None and known != found:
                raise OtherClusters(
                    "this ledger belongs to other clusters",
                    f"{self.migration} was set up for {side} {known}, but the {side} answers as "
                    f"{found}",
                    hint=f"check the {side}'s address, or start another migration with -m NAME",
                    changed="Nothing was read or written.",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicEntry:
    """One topic of a migration."""

    source: TopicName
    target: TopicName
    source_id: str | None
    target_id: str | None
    partitions: int
    created: bool
    """Whether kferry made the target topic."""
    finish: Mapping[str, str | None]
    """What `complete` sets; None lifts a setting. On topics of others: what was there before."""
    completed: bool = False
    switched: str = ""
    """When it was handed over to the target; from then on nothing is copied to it."""

    @property
    def suspended(self) -> bool:
        """Whether settings wait for `complete`."""
        return bool(self.finish) and not self.completed

    def document(self) -> tuple[str, Mapping[str, Any]]:
        """Write it down."""
        return _TOPIC + self.source, {
            "target": self.target,
            "source_id": self.source_id,
            "target_id": self.target_id,
            "partitions": self.partitions,
            "created": self.created,
            "finish": dict(self.finish),
            "completed": self.completed,
            **({"switched": self.switched} if self.switched else {}),
        }


def read_manifest(documents: Mapping[str, Mapping[str, Any]]) -> Manifest | None:
    """Read the manifest, if there is one."""
    value = documents.get(MANIFEST)
    if value is None:
        return None
    return Manifest(
        migration=_text(MANIFEST, value, "migration"),
        source_id=_text(MANIFEST, value, "source"),
        target_id=_text(MANIFEST, value, "target"),
    )


def is_topic(key: str) -> bool:
    """Whether a document is about a topic that the migration holds."""
    return key.startswith(_TOPIC)


def read_topics(documents: Mapping[str, Mapping[str, Any]]) -> dict[TopicName, TopicEntry]:
    """Read every topic that the migration holds."""
    return {
        TopicName(key.removeprefix(_TOPIC)): _entry(key, value)
        for key, value in documents.items()
        if key.startswith(_TOPIC)
    }


def _entry(key: str, value: Mapping[str, Any]) -> TopicEntry:
    partitions = value.get("partitions")
    if not isinstance(partitions, int):
        raise _bad(key, "partitions")
    return TopicEntry(
        source=TopicName(key.removeprefix(_TOPIC)),
        target=TopicName(_text(key, value, "target")),
        source_id=_text_or_none(key, value, "source_id"),
        target_id=_text_or_none(key, value, "target_id"),
        partitions=partitions,
        created=value.get("created") is True,
        finish=_configs(key, value, "finish"),
        completed=value.get("completed") is True,
        switched=_text_or_none(key, value, "switched") or "",
    )


def _text(key: str, value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise _bad(key, name)
    return found


def _text_or_none(key: str, value: Mapping[str, Any], name: str) -> str | None:
    return None if value.get(name) is None else _text(key, value, name)


def _configs(key: str, value: Mapping[str, Any], name: str) -> dict[str, str | None]:
    found = value.get(name, {})
    if not isinstance(found, dict) or not all(
        isinstance(setting, str) and (to is None or isinstance(to, str))
        for setting, to in found.items()
    ):
        raise _bad(key, name)
    return dict(found)


def _bad(key: str, name: str) -> BadDocument:
    return BadDocument(
        f"the ledger's document {key} cannot be read",
        f"`{name}` is not what it should be",
        hint="somebody else wrote to the ledger's topic; look at it before going on",
    )
