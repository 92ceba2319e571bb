"""The error tree: what went wrong, what was (not) changed, and what to do next.

Owns the exit codes and the shape of every error a user may see. Knows nothing about how an error
is shown; that is the command line's business.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What scripts may rely on. Stable: new meanings get new numbers."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PLAN_HAS_CHANGES = 3
    DIFFERENCES = 4
    REFUSED = 5
    TRY_AGAIN = 6
    STOPPED_EARLY = 7
    LEDGER_HELD = 8


class KferryError(Exception):
    """An error with a code, a place, and a way out.

    `title` is one line; `detail` may be several. `changed` says what the failed command did or did
    not change: people read it before they dare to run anything again.
    """

    code: ClassVar[str] = "K000"
    exit_code: ExitCode = ExitCode.FAILED

    def __init__(
        self,
        title: str,
        detail: str = "",
        *,
        hint: str = "",
        changed: str = "Nothing was changed.",
    ) -> None:
        super().__init__(title if not detail else f"{title}: {detail}")
        self.title = title
        self.detail = detail
        self.hint = hint
        self.changed = changed


class UsageError(KferryError):
    """The command line asks for something that cannot be."""

    code = "K100"
    exit_code = ExitCode.USAGE


class ConfigError(KferryError):
    """A configuration file or value that cannot be used."""

    code = "K101"
    exit_code = ExitCode.USAGE
