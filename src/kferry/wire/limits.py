"""How long to wait for what.

Owns the time limits of the wire, in seconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long to wait for what, in seconds."""

    connect: float = 5.0
    """For each of: a name, a TCP connection, a TLS session, each answer of the handshake."""
    request: float = 30.0
    retry: float = 30.0
    """How long an answer such as "not the leader" is tried again before it is an error."""
