"""What a check found, as values.

Owns findings, their weight, and what they mean together.
"""

from dataclasses import dataclass
from enum import StrEnum

from kferry.errors import ExitCode
from kferry.wire import UnsupportedApi, WireError


class Side(StrEnum):
    """Where a finding belongs."""

    SOURCE = "source"
    TARGET = "target"
    BOTH = "both"


class Severity(StrEnum):
    """How much a finding weighs."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact, judged. `code` is for scripts and stays; `message` and `hint` are for people."""

    side: Side
    subject: str
    severity: Severity
    code: str
    message: str
    hint: str = ""


def ok(side: Side, subject: str, *, code: str, message: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(side=side, subject=subject, severity=Severity.OK, code=code, message=message)


def note(side: Side, subject: str, *, code: str, message: str, hint: str = "") -> Finding:
    """Say something worth knowing."""
    return _weighed(Severity.INFO, side, subject, code, message, hint)


def warning(side: Side, subject: str, *, code: str, message: str, hint: str) -> Finding:
    """Say that something may go wrong."""
    return _weighed(Severity.WARNING, side, subject, code, message, hint)


def failure(side: Side, subject: str, *, code: str, message: str, hint: str) -> Finding:
    """Say that something forbids the migration."""
    return _weighed(Severity.ERROR, side, subject, code, message, hint)


def _weighed(  # noqa: PLR0917 the four above say what is what
    severity: Severity, side: Side, subject: str, code: str, message: str, hint: str
) -> Finding:
    return Finding(
        side=side, subject=subject, severity=severity, code=code, message=message, hint=hint
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a check found. `unanswered`: a cluster could not be asked at all."""

    findings: tuple[Finding, ...]
    unanswered: bool

    @property
    def ok(self) -> bool:
        """Whether nothing forbids the migration."""
        return not self.count(Severity.ERROR)

    @property
    def exit_code(self) -> ExitCode:
        """Fit, forbidden, or not to be told now."""
        if self.ok:
            return ExitCode.DONE
        return ExitCode.TRY_AGAIN if self.unanswered else ExitCode.REFUSED

    def count(self, severity: Severity) -> int:
        """How many findings weigh this much."""
        return sum(finding.severity is severity for finding in self.findings)


def reason(error: WireError) -> str:
    """Say why something could not be asked."""
    return error.detail if isinstance(error, UnsupportedApi) else str(error)
