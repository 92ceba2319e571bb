"""Passwords: salted as brokers expect, kept where only the owner reads, and never shown."""

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import pytest

from kferry.access.errors import SecretsFileTrouble
from kferry.access.secrets_file import make_up, read_passwords, readable_by_others
from kferry.admin.users import NewCredential, salted
from kferry.config import Secret


def test_a_password_is_salted_as_the_standard_says() -> None:
    """The exchange of RFC 7677, section 3."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    password = salted(Secret("pencil"), salt, mechanism="SCRAM-SHA-256", iterations=4096)
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    said = (
        f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        f"c=biws,r={nonce}"
    ).encode()
    key = hmac.digest(password, b"Server Key", hashlib.sha256)
    signature = base64.b64encode(hmac.digest(key, said, hashlib.sha256))
    assert signature == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_credential_never_shows_its_password() -> None:
    one = NewCredential(
        user="alice", mechanism="SCRAM-SHA-512", iterations=4096, password=Secret("s3cret")
    )
    assert "s3cret" not in f"{one} {one!r}"


def test_made_up_passwords_are_added_and_readable_by_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("# ours\nalice=kept\nempty=")
    file.chmod(0o644)
    assert readable_by_others(file)
    fresh = make_up(file, ["alice", "bob", "eve=1 #x", "empty"])
    assert fresh.keys() == {"bob", "eve=1 #x", "empty"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("# ours\nalice=kept\n")
    read = read_passwords(file)
    assert {user: read[user] for user in fresh} == fresh
    assert read["alice"] == Secret("kept")
    assert len({word.reveal() for word in read.values()}) == 4
    assert all(len(fresh[user].reveal()) >= 32 for user in fresh)
    assert make_up(file, ["alice", "bob"]) == {}
    assert [one.name for one in tmp_path.iterdir()] == ["secrets"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "real"
    file.write_text("a=b\n")
    link.symlink_to(file)
    make_up(link, ["bob"])
    assert link.is_symlink()
    assert read_passwords(file).keys() == {"a", "bob"}


def test_a_file_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert read_passwords(tmp_path / "none") == {}
    assert not readable_by_others(tmp_path / "none")


def test_a_file_that_cannot_be_read_or_written_is_said_without_its_content(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"alice=s3cret\xff\xfe")
    with pytest.raises(SecretsFileTrouble) as caught:
        read_passwords(binary)
    assert "s3cret" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    half = tmp_path / "half"
    half.write_text("alice=s3cret\\ud800")
    with pytest.raises(SecretsFileTrouble, match="line 1: half a character") as caught:
        read_passwords(half)
    assert "s3cret" not in f"{caught.value!r} {caught.value.hint}"
    with pytest.raises(SecretsFileTrouble, match="cannot write"):
        make_up(tmp_path / "no-folder" / "file", ["bob"])
