"""How long the target's brokers remember a producer.

Owns that one question. Where it cannot be asked, the default counts.
"""

from kferry.admin.configs import broker_configs
from kferry.wire import Cluster, WireError

_SETTING = "producer.id.expiration.ms"
_DAY_MS = 24 * 3600 * 1000


async def remembered_ms(target: Cluster) -> int:
    """Return the shortest time of any broker."""
    found: list[int] = []
    for broker in target.metadata.brokers:
        try:
            value = (await broker_configs(target, broker)).get(_SETTING)
        except WireError:
            continue
        if value is not None and value.value is not None and value.value.isdigit():
            found.append(int(value.value))
    return min(found, default=_DAY_MS)
