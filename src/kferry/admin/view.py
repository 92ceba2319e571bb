"""Who looks, at which Kafka, and what therefore cannot be seen.

Owns the sentences for what is missing from a picture: an old broker, a missing right, a silent
broker. What may not be seen is never passed off as absent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kferry.admin.operations import Operation, Resource, grant
from kferry.wire import BrokerError, Cluster, UnsupportedApi, WireError

_K = TypeVar("_K")
_NAMED = 3

DENIED = {
    29: Resource.TOPIC,
    30: Resource.GROUP,
    31: Resource.CLUSTER,
    53: Resource.TRANSACTIONAL_ID,
}
"""Kafka's error codes for a missing right, and on what it is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A part of the picture that is missing: which, why, and what would help."""

    subject: str
    reason: str
    hint: str = ""
    concerns: tuple[str, ...] = ()
    """The brokers, topics or groups it is about; empty: the whole cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that is asked: since which Kafka it can be, and which right it takes."""

    subject: str
    since: str
    right: Operation
    on: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Who looks, and at which Kafka."""

    release: str
    principal: str

    @property
    def tells_hidden_from_absent(self) -> bool:
        """Whether a topic may be asked for by name: metadata before 0.11 would create it."""
        number = tuple(int(part) for part in self.release.split(".") if part.isdigit())
        return number >= (0, 11)

    def gaps(
        self,
        question: Question,
        outcomes: Mapping[_K, object],
        name: Callable[[_K], str] = str,
    ) -> list[Gap]:
        """Make one gap of each reason for which answers are missing."""
        concerned: dict[tuple[str, str], list[str]] = {}
        for key, outcome in outcomes.items():
            if isinstance(outcome, WireError):
                reason = self._reason(question, outcome)
                concerned.setdefault(reason, []).append(name(key))
        return [
            self._gap(question, reason, hint, names, everywhere=len(names) == len(outcomes))
            for (reason, hint), names in concerned.items()
        ]

    def gap(self, question: Question, error: WireError) -> Gap:
        """Say why the whole of a question has no answer."""
        reason, hint = self._reason(question, error)
        return Gap(subject=question.subject, reason=reason, hint=hint)

    def _gap(
        self, question: Question, reason: str, hint: str, names: list[str], *, everywhere: bool
    ) -> Gap:
        concerns = tuple(dict.fromkeys(names))
        shown = ", ".join(concerns[:_NAMED])
        more = f" and {len(concerns) - _NAMED:,} more" if len(concerns) > _NAMED else ""
        return Gap(
            subject=question.subject,
            reason=reason if everywhere else f"{reason}: {shown}{more}",
            hint=hint.replace("'*'", f"'{concerns[0]}'") if len(concerns) == 1 else hint,
            concerns=concerns,
        )

    def _reason(self, question: Question, error: WireError) -> tuple[str, str]:
        if isinstance(error, UnsupportedApi):
            return (
                f"Kafka {self.release} cannot be asked for them, only {question.since} and later",
                "",
            )
        if isinstance(error, BrokerError) and error.error_code in DENIED:
            resource = DENIED[error.error_code]
            right = question.right if resource is question.on else Operation.DESCRIBE
            where = "the cluster" if resource is Resource.CLUSTER else plural(resource)
            return (
                f"{self.principal} lacks {right.title} on {where}",
                grant(self.principal, right, resource),
            )
        if isinstance(error, BrokerError):
            return error.name, error.hint
        return str(error), error.hint


def plural(resource: Resource) -> str:
    """Name many of a kind: `transactional ids`."""
    return f"{resource}s".replace("-", " ")


def incomplete(view: View, resource: Resource) -> Gap:
    """Warn that a list leaves out what may not be seen, as brokers do without a word."""
    return Gap(
        subject=plural(resource),
        reason=f"those that {view.principal} may not Describe are not listed",
        hint=grant(view.principal, Operation.DESCRIBE, resource),
    )


async def view_of(cluster: Cluster) -> View:
    """Find out who we are to this cluster, and what it is."""
    connection = await cluster.any_connection()
    sasl = cluster.settings.sasl
    return View(
        release=connection.versions.release,
        principal="User:<you>" if sasl is None else f"User:{sasl.username}",
    )
