"""Limits on what clients may use.

Owns DescribeClientQuotas.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kafka.protocol.admin import DescribeClientQuotasRequest, DescribeClientQuotasResponse

from kferry.wire import Cluster
from kferry.wire.errors import raise_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The limits of one entity: kind (`user`, `client-id`, `ip`) to name, None for the default."""

    entity: Mapping[str, str | None]
    limits: Mapping[str, float]


async def client_quotas(cluster: Cluster) -> list[Quota]:
    """Ask for all quotas, sorted by entity."""
    answer = await cluster.request(
        DescribeClientQuotasRequest(components=[], strict=False), DescribeClientQuotasResponse
    )
    raise_for(answer.error_code, "quotas", answer.error_message)
    quotas = [
        Quota(
            # Users before their clients, as the official tool names them.
            entity={
                one.entity_type: one.entity_name
                for one in sorted(entry.entity, key=lambda one: one.entity_type, reverse=True)
            },
            limits={one.key: one.value for one in sorted(entry.values, key=lambda one: one.key)},
        )
        for entry in answer.entries
    ]
    return sorted(quotas, key=lambda quota: [(kind, n or "") for kind, n in quota.entity.items()])
