"""The file with users' passwords.

Owns reading it, making passwords up, and writing them down where only the owner can read. It is a
Java properties file, `alice=password`, so that clients can take theirs from it with Kafka's own
`${file:PATH:alice}`. Nothing here, errors included, tells what a password is.
"""

import os
import secrets
import stat
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from kferry.access.errors import SecretsFileTrouble
from kferry.config import Secret
from kferry.config.properties import Entry, parse_properties, render_properties

_RANDOM_BYTES = 24
_MOST_BYTES = 16 * 1024 * 1024


def read_passwords(file: Path) -> dict[str, Secret]:
    """Read what the file holds; a file that is not there holds nothing."""
    return {user: Secret(entry.value) for user, entry in _entries(file, _text(file)).items()}


def readable_by_others(file: Path) -> bool:
    """Whether others on this machine may read the file."""
    try:
        return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False


def make_up(file: Path, users: Collection[str]) -> dict[str, Secret]:
    """Make passwords up for users that have none in the file, and write them there first.

    A password that is sent before it is kept could be lost with us; so it is on the disk when this
    returns. What others added meanwhile stays.
    """
    text = _text(file)
    known = {user for user, entry in _entries(file, text).items() if entry.value}
    fresh = {user: secrets.token_urlsafe(_RANDOM_BYTES) for user in users if user not in known}
    if fresh:
        _write(file, _with(text, fresh))
    return {user: Secret(password) for user, password in fresh.items()}


def _entries(file: Path, text: str) -> Mapping[str, Entry]:
    entries = parse_properties(text)
    for user, entry in entries.items():
        if any("\ud800" <= letter <= "\udfff" for letter in user + entry.value):
            raise SecretsFileTrouble(
                f"{file}, line {entry.line}: half a character",
                hint=r"a \u of D800 to DFFF needs its other half beside it",
            )
    return entries


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise SecretsFileTrouble(f"{file} is too large to be a file of passwords")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SecretsFileTrouble(
            f"cannot read {file}", reason, hint="check the path of the secrets file"
        ) from None


def _with(text: str, fresh: Mapping[str, str]) -> str:
    """Add lines; comments and the order of those that were there stay."""
    separator = "" if not text or text.endswith("\n") else "\n"
    return text + separator + render_properties(fresh)


def _write(file: Path, text: str) -> None:
    """Put a new file in the old one's place, whole, and readable by nobody else at any moment."""
    file = file.resolve()  # a link stays one
    pending: str | None = None
    try:
        handle, pending = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # 0600
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        Path(pending).replace(file)
        pending = None
        _sync_folder(file.parent)
    except OSError as error:
        raise SecretsFileTrouble(
            f"cannot write {file}",
            error.strerror or "",
            hint="name a secrets file in a folder that you may write",
        ) from None
    finally:
        if pending is not None:
            with suppress(OSError):
                Path(pending).unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
