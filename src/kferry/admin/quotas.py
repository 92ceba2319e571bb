"""Limits on what clients may use.

Owns DescribeClientQuotas and AlterClientQuotas.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka.protocol.admin import (
    AlterClientQuotasRequest,
    AlterClientQuotasResponse,
    DescribeClientQuotasRequest,
    DescribeClientQuotasResponse,
)

from kferry.wire import BrokerError, Cluster, WireError
from kferry.wire.errors import raise_for

_PER_CALL = 500
_NOTHING_SAID = -1  # UNKNOWN_SERVER_ERROR

Entity = tuple[tuple[str, str | None], ...]
"""Whom a quota is for, as a key: kinds and names, users before their clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The limits of one entity: kind (`user`, `client-id`, `ip`) to name, None for the default."""

    entity: Mapping[str, str | None]
    limits: Mapping[str, float]

    @property
    def key(self) -> Entity:
        """Whom it is for."""
        return entity_key(self.entity.items())


def entity_key(parts: Iterable[tuple[str, str | None]]) -> Entity:
    """Order the parts of an entity as the official tool names them: users before their clients."""
    return tuple(sorted(parts, key=lambda part: part[0], reverse=True))


async def client_quotas(cluster: Cluster) -> list[Quota]:
    """Ask for all quotas, sorted by entity."""
    answer = await cluster.request(
        DescribeClientQuotasRequest(components=[], strict=False), DescribeClientQuotasResponse
    )
    raise_for(answer.error_code, "quotas", answer.error_message)
    quotas = [
        Quota(
            entity=dict(_key(entry)),
            limits={one.key: one.value for one in sorted(entry.values, key=lambda one: one.key)},
        )
        for entry in answer.entries
    ]
    return sorted(quotas, key=lambda quota: [(kind, n or "") for kind, n in quota.entity.items()])


async def set_quotas(cluster: Cluster, quotas: Sequence[Quota]) -> dict[Entity, WireError | None]:
    """Set limits of entities; their others stay. Returns before every broker knows them."""
    outcomes: dict[Entity, WireError | None] = {}
    wanted = {quota.key: quota for quota in quotas}
    keys = list(wanted)
    for start in range(0, len(keys), _PER_CALL):
        chunk = keys[start : start + _PER_CALL]
        outcomes |= await _set(cluster, {key: wanted[key] for key in chunk})
    return outcomes


async def _set(
    cluster: Cluster, quotas: Mapping[Entity, Quota]
) -> Mapping[Entity, WireError | None]:
    request = AlterClientQuotasRequest(
        entries=[_entry(quota) for quota in quotas.values()], validate_only=False
    )
    try:
        answer = await cluster.at_controller(
            request,
            AlterClientQuotasResponse,
            codes=lambda found: (entry.error_code for entry in found.entries),
        )
    except WireError as error:
        return dict.fromkeys(quotas, error)
    said = {_key(entry): entry for entry in answer.entries}
    return {key: _refusal(said.get(key)) for key in quotas}


def _entry(quota: Quota) -> Any:
    entry = AlterClientQuotasRequest.EntryData
    return entry(
        entity=[entry.EntityData(entity_type=kind, entity_name=name) for kind, name in quota.key],
        ops=[
            entry.OpData(key=key, value=value, remove=False)
            for key, value in sorted(quota.limits.items())
        ],
    )


def _key(entry: Any) -> Entity:
    return entity_key((one.entity_type, one.entity_name) for one in entry.entity)


def _refusal(answer: Any | None) -> BrokerError | None:
    if answer is None:
        return BrokerError(_NOTHING_SAID, "quota", "the broker said nothing about it")
    if not answer.error_code:
        return None
    return BrokerError(answer.error_code, "quota", answer.error_message)
