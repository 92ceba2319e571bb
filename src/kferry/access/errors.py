"""What can go wrong with access rules, users and quotas on the target.

Owns the access room's part of the error tree. No error here ever holds a password.
"""

from pathlib import Path
from typing import ClassVar

from kferry.errors import ExitCode, KferryError
from kferry.wire import WireError


class AccessError(KferryError):
    """Something about access."""

    code: ClassVar[str] = "K600"


class NotApplied(AccessError):
    """The target refuses a rule, a user or a quota."""

    code = "K601"

    def __init__(self, ref: str, refusal: WireError, *, hint: str = "") -> None:
        super().__init__(
            f"{ref} was not made",
            str(refusal),
            hint=hint or refusal.hint,
            changed="Nothing was changed about it; others are not affected.",
        )
        self.refusal = refusal


class NotReadBack(AccessError):
    """The target took it, and does not show it."""

    code = "K602"

    def __init__(self, ref: str, detail: str, *, hint: str = "") -> None:
        super().__init__(
            f"{ref} was taken by the target, but is not there",
            detail,
            hint=hint or "look at it with `kferry inspect`, then apply again",
            changed="It may or may not be there.",
        )


class WorkNotUnderstood(AccessError):
    """What an item says is to be done cannot be read: its plan was edited, or is of elsewhen."""

    code = "K603"
    exit_code = ExitCode.USAGE

    def __init__(self, ref: str, why: str) -> None:
        super().__init__(
            f"{ref} cannot be applied", why, hint="make the plan again with `kferry plan --out`"
        )


class NoPassword(AccessError):
    """A user that has no password when it is needed."""

    code = "K604"
    exit_code = ExitCode.USAGE

    def __init__(self, user: str, file: Path | None) -> None:
        where = "no secrets file is named" if file is None else f"{file} does not hold one"
        super().__init__(
            f"the user {user} has no password",
            where,
            hint="add it to the secrets file, or have it made: `generate_passwords` in kferry.yaml",
        )


class SecretsFileTrouble(AccessError):
    """The file of passwords cannot be read or written."""

    code = "K605"
    exit_code = ExitCode.USAGE


class WouldAllowTooMuch(AccessError):
    """A rule that allows was kept back because one that denies could not be made."""

    code = "K606"

    def __init__(self, ref: str, denial: str) -> None:
        super().__init__(
            f"{ref} was not made",
            f"without `{denial}`, which failed, it would allow more than on the source",
            changed="Nothing was changed about it; others are not affected.",
            hint="see why the other one failed, then apply again",
        )
