"""What sizing has to know of both clusters, gathered in a few calls.

Owns the questions. Whatever is not told is None, and never keeps a plan from being made.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence

from kferry.admin.configs import Configs
from kferry.admin.log_dirs import disks
from kferry.admin.quotas import Quota
from kferry.brokers import take_settings
from kferry.migration.sizing import TargetRoom, TopicLoad, quota_for
from kferry.names import TopicName
from kferry.topics import TopicFacts, record_times
from kferry.topics.effective import effective_configs
from kferry.wire import Cluster, WireError

_OFFSETS_RETENTION = "offsets.retention.minutes"


async def take_loads(
    source: Cluster, topics: Sequence[TopicFacts], replicas: Mapping[TopicName, int]
) -> list[TopicLoad]:
    """Look at the topics to be copied; `replicas` are those on the target, else the source's."""
    configs, times = await asyncio.gather(
        effective_configs(source, (one.name for one in topics)), record_times(source, topics)
    )
    now_ms = time.time() * 1000
    loads = []
    for one in topics:
        known = configs[one.name]
        in_force = {} if isinstance(known, WireError) else known
        oldest = times[one.name].oldest
        loads.append(
            TopicLoad(
                name=one.name,
                partitions=len(one.partitions),
                replicas=replicas.get(one.name, one.replication),
                bytes=one.bytes,
                records=one.records,
                records_per_second=one.records_per_second,
                retention_ms=_limit(in_force, "retention.ms"),
                retention_bytes=_limit(in_force, "retention.bytes"),
                age_ms=None if oldest is None else round(now_ms - oldest.timestamp),
            )
        )
    return loads


async def take_room(
    target: Cluster, *, quotas: Iterable[Quota] = (), client_id: str = "kferry"
) -> TargetRoom:
    """Look at what the target has and allows; `quotas` are all of its client quotas."""
    settings, found = await asyncio.gather(take_settings(target), disks(target))
    # Last: it replaces what the cluster knows of topics.
    metadata = await target.refresh(None)
    spaces = [
        disk.usable
        for one in found.values()
        for disk in ([] if isinstance(one, WireError) else one)
        if not disk.error_code
    ]
    told = [space for space in spaces if space is not None]
    minutes = [
        int(value)
        for configs in settings.brokers.values()
        if _OFFSETS_RETENTION in configs
        and (value := configs[_OFFSETS_RETENTION].value) is not None
    ]
    return TargetRoom(
        brokers=len(metadata.brokers),
        replicas=sum(
            len(partition.replicas)
            for topic in metadata.topics.values()
            for partition in topic.partitions
        ),
        free_bytes=sum(told) if told and len(told) == len(spaces) else None,
        quota=quota_for(quotas, user=_user(target), client_id=client_id),
        offsets_kept_seconds=min(minutes) * 60 if minutes else None,
    )


def _limit(configs: Configs, name: str) -> int | None:
    """Return a limit that deletes records; compaction alone has none."""
    policy = configs.get("cleanup.policy")
    one = configs.get(name)
    if policy is None or "delete" not in (policy.value or "") or one is None or one.value is None:
        return None
    limit = int(one.value)
    return limit if limit >= 0 else None


def _user(target: Cluster) -> str | None:
    """Tell who we are, for quotas; None: a certificate's name is for the broker to tell."""
    if target.settings.sasl is not None:
        return target.settings.sasl.username
    return None if target.settings.protocol.tls else "ANONYMOUS"
