"""The users that the cluster itself keeps.

Owns DescribeUserScramCredentials, AlterUserScramCredentials, and what of a password is sent: never
itself, only what is left of it after salting (RFC 5802). Passwords cannot be read back from a
broker, salted or not.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from kafka.protocol.admin import (
    AlterUserScramCredentialsRequest,
    AlterUserScramCredentialsResponse,
    DescribeUserScramCredentialsRequest,
    DescribeUserScramCredentialsResponse,
)

from kferry.config import Secret
from kferry.wire import BrokerError, Cluster, Outcomes, WireError
from kferry.wire.errors import raise_for

_MECHANISMS = {1: "SCRAM-SHA-256", 2: "SCRAM-SHA-512"}
_HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
ITERATIONS = range(4096, 16384 + 1)
"""What brokers take; those with ZooKeeper took more from their tool."""
_SALT_BYTES = 24
_PER_CALL = 500
_RESOURCE_NOT_FOUND = 91
_NOTHING_SAID = -1  # UNKNOWN_SERVER_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One way in which a user can prove who they are."""

    mechanism: str
    iterations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """One way in which a user shall be able to prove who they are."""

    user: str
    mechanism: str
    iterations: int
    password: Secret = field(repr=False)


def knows_mechanism(mechanism: str) -> bool:
    """Whether a password can be salted for it."""
    return mechanism in _HASHES


def salted(password: Secret, salt: bytes, *, mechanism: str, iterations: int) -> bytes:
    """Return what a broker keeps a password as, before it makes keys of that (RFC 5802)."""
    return hashlib.pbkdf2_hmac(_HASHES[mechanism], password.reveal().encode(), salt, iterations)


async def scram_users(cluster: Cluster) -> Outcomes[str, tuple[Credential, ...]]:
    """Ask for all users with SCRAM credentials.

    An empty list means all. So does null, but a broker that has to refuse that never answers.
    """
    found = await _described(cluster, [])
    # Brokers with ZooKeeper list the names of its nodes, `a%20b` for `a b` (measured on 2.8), and
    # take the real ones when they are asked by name.
    encoded = [name for name in found if "%" in name]
    if encoded:
        by_name = await _described(cluster, encoded)
        if any(_is_unknown(by_name.get(name)) for name in encoded):
            found = {unquote(name): outcome for name, outcome in found.items()}
    return dict(sorted(found.items()))


def _is_unknown(outcome: tuple[Credential, ...] | WireError | None) -> bool:
    return isinstance(outcome, BrokerError) and outcome.error_code == _RESOURCE_NOT_FOUND


async def _described(
    cluster: Cluster, users: Sequence[str]
) -> dict[str, tuple[Credential, ...] | WireError]:
    name = DescribeUserScramCredentialsRequest.UserName
    answer = await cluster.request(
        DescribeUserScramCredentialsRequest(users=[name(name=user) for user in users]),
        DescribeUserScramCredentialsResponse,
    )
    raise_for(answer.error_code, "SCRAM users", answer.error_message)
    return {
        found.user: BrokerError(found.error_code, found.user, found.error_message)
        if found.error_code
        else tuple(
            Credential(
                mechanism=_MECHANISMS.get(one.mechanism, f"mechanism {one.mechanism}"),
                iterations=one.iterations,
            )
            for one in sorted(found.credential_infos, key=lambda one: one.mechanism)
        )
        for found in answer.results
    }


async def set_credentials(
    cluster: Cluster, credentials: Sequence[NewCredential]
) -> dict[str, WireError | None]:
    """Give users credentials, in place of those they have in the same mechanism; tell by user.

    A broker takes one of each user at a time; whose first is refused is not asked about again.
    Returns before every broker knows them.
    """
    left: dict[str, list[NewCredential]] = {}
    for one in credentials:
        left.setdefault(one.user, []).append(one)
    outcomes: dict[str, WireError | None] = {}
    while left:
        firsts = [own[0] for own in left.values()]
        for start in range(0, len(firsts), _PER_CALL):
            outcomes |= await _set(cluster, firsts[start : start + _PER_CALL])
        left = {
            user: own[1:] for user, own in left.items() if len(own) > 1 and outcomes[user] is None
        }
    return outcomes


async def _set(
    cluster: Cluster, credentials: Sequence[NewCredential]
) -> dict[str, WireError | None]:
    # Salting takes its time on purpose; the loop has others to serve.
    upsertions = await asyncio.to_thread(lambda: [_upsertion(one) for one in credentials])
    try:
        answer = await cluster.at_controller(
            AlterUserScramCredentialsRequest(deletions=[], upsertions=upsertions),
            AlterUserScramCredentialsResponse,
            codes=lambda found: (result.error_code for result in found.results),
        )
    except WireError as error:
        return {one.user: error for one in credentials}
    said = {result.user: result for result in answer.results}
    return {one.user: _refusal(one.user, said.get(one.user)) for one in credentials}


def _upsertion(one: NewCredential) -> Any:
    salt = secrets.token_bytes(_SALT_BYTES)
    return AlterUserScramCredentialsRequest.ScramCredentialUpsertion(
        name=one.user,
        mechanism=_NUMBERS[one.mechanism],
        iterations=one.iterations,
        salt=salt,
        salted_password=salted(
            one.password, salt, mechanism=one.mechanism, iterations=one.iterations
        ),
    )


def _refusal(user: str, answer: Any | None) -> BrokerError | None:
    if answer is None:
        return BrokerError(_NOTHING_SAID, f"user {user}", "the broker said nothing about it")
    if not answer.error_code:
        return None
    return BrokerError(answer.error_code, f"user {user}", answer.error_message)


_NUMBERS = {word: number for number, word in _MECHANISMS.items()}
