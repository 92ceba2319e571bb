"""The first contact: any one of the bootstrap servers will do.

Owns asking them all at once and telling, when none answers, what each one's trouble was.
"""

import asyncio

from kferry.config import ClusterSettings
from kferry.names import Address
from kferry.wire.diagnose import explain
from kferry.wire.dial import dial
from kferry.wire.errors import ConnectionLost, WireError
from kferry.wire.limits import Limits
from kferry.wire.metadata import Metadata, ask_metadata


class NoBootstrap(WireError):
    """None of several bootstrap servers let us in; the causes are listed."""

    code = "K309"

    def __init__(self, failures: list[WireError]) -> None:
        super().__init__(
            f"none of {len(failures)} bootstrap servers let us in",
            "\n".join(str(failure) for failure in failures),
            hint=failures[0].hint,
        )
        self.failures = failures
        # Waiting may help if it may help with one of them.
        self.retriable = any(failure.retriable for failure in failures)
        self.exit_code = next((f for f in failures if f.retriable), failures[0]).exit_code


async def first_answer(settings: ClusterSettings, limits: Limits) -> Metadata:
    """Return the brokers as whichever server answers first names them."""
    attempts = [
        asyncio.create_task(_ask(settings, address, limits)) for address in settings.bootstrap
    ]
    failures: list[WireError] = []
    try:
        for attempt in asyncio.as_completed(attempts):
            try:
                return await attempt
            except WireError as error:
                failures.append(error)
    finally:
        for attempt in attempts:
            attempt.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)
    raise failures[0] if len(failures) == 1 else NoBootstrap(failures)


async def _ask(settings: ClusterSettings, address: Address, limits: Limits) -> Metadata:
    connection = await dial(settings, address, limits)
    try:
        return await ask_metadata(connection, (), seconds=limits.request)
    except ConnectionLost as error:
        # A listener that wants SASL hangs up on the first real question of one who brings none.
        raise await explain(settings, address, error, limits) from error
    finally:
        # Its address is a bootstrap address, perhaps a load balancer's, not a broker's own.
        connection.abort()
