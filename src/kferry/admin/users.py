"""The users that the cluster itself keeps.

Owns DescribeUserScramCredentials. Passwords cannot be read back from a broker, salted or not.
"""

from dataclasses import dataclass

from kafka.protocol.admin import (
    DescribeUserScramCredentialsRequest,
    DescribeUserScramCredentialsResponse,
)

from kferry.wire import BrokerError, Cluster, Outcomes
from kferry.wire.errors import raise_for

_MECHANISMS = {1: "SCRAM-SHA-256", 2: "SCRAM-SHA-512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One way in which a user can prove who they are."""

    mechanism: str
    iterations: int


async def scram_users(cluster: Cluster) -> Outcomes[str, tuple[Credential, ...]]:
    """Ask for all users with SCRAM credentials.

    An empty list means all. So does null, but a broker that has to refuse that never answers.
    """
    answer = await cluster.request(
        DescribeUserScramCredentialsRequest(users=[]), DescribeUserScramCredentialsResponse
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
        for found in sorted(answer.results, key=lambda found: found.user)
    }
