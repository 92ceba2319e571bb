"""A fence in the ledger: what was wished for, and which rules kferry made.

Owns these documents. A rule that is read from one is believed only where it is such as kferry
makes: whoever can write to the ledger's topic could have others taken away otherwise.
"""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kferry.access.writers import denial
from kferry.admin.acls import Acl
from kferry.errors import ExitCode, KferryError
from kferry.ledger import Entry
from kferry.names import TopicName
from kferry.units import many

FENCE = "cutover/fence"
"""The key of the document; the undo bundle calls it `fence`."""


class BadFence(KferryError):
    """What is written of a fence is nothing that kferry writes."""

    code = "K254"
    exit_code = ExitCode.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceWish:
    """A fence as it was asked for."""

    principals: tuple[str, ...] = ()
    """Those that were named, beside those that rules let write."""
    anyway: bool = False
    """Whether it may be put up while transactions are open."""

    def document(self) -> dict[str, Any]:
        """Write it down."""
        return {"principals": list(self.principals), "anyway": self.anyway}


def read_wish(facts: Mapping[str, Any]) -> FenceWish | None:
    """Read the wish of a cutover; None: it goes without."""
    value = facts.get("fence")
    if not isinstance(value, Mapping):
        return None
    return FenceWish(
        principals=tuple(map(str, value.get("principals", ()))),
        anyway=value.get("anyway") is True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceEntry:
    """The rules that kferry made, or was about to make."""

    rules: tuple[Acl, ...]
    could_write: bool
    """Whether kferry itself could write to these topics before."""

    def value(self) -> dict[str, Any]:
        """Write it down."""
        return {
            "rules": [dataclasses.asdict(rule) for rule in self.rules],
            "could_write": self.could_write,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def document(self) -> Entry:
        """Return it with its key."""
        return FENCE, self.value()


def read_fence(documents: Mapping[str, Any]) -> FenceEntry | None:
    """Read which rules are kferry's; None: no fence stands."""
    value = documents.get(FENCE)
    if value is None:
        return None
    try:
        rules = tuple(_rule(one) for one in value["rules"])
        return FenceEntry(rules=rules, could_write=value.get("could_write") is True)
    except (KeyError, TypeError, ValueError) as error:
        raise BadFence(
            "what is written of the fence cannot be read",
            str(error),
            hint="kferry inspect acls shows the rules; kafka-acls --remove takes one away",
            changed="No rule was taken away.",
        ) from None


def _rule(value: Mapping[str, Any]) -> Acl:
    known = denial(str(value["principal"]), TopicName(str(value["name"])))
    if dict(value) != dataclasses.asdict(known):
        raise ValueError(f"{value!r} is no rule that kferry makes")
    return known


def told(who: Mapping[str, Collection[TopicName]]) -> list[str]:
    """Name principals, each with how many topics it is about."""
    return [f"{name} on {many(len(topics), 'topic')}" for name, topics in sorted(who.items())]
