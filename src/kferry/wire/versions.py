"""Which version of which call a broker understands, and what that says about its age.

Owns the ranges one broker told us. Knows kafka-python's message classes by their numbers only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka.protocol.broker_version_data import infer_broker_version_from_api_versions

from kferry.wire.errors import UnsupportedApi


@dataclass(frozen=True, slots=True)
class ApiVersions:
    """The ranges of one broker."""

    ranges: Mapping[int, tuple[int, int]]

    def supports(self, request: Any, version: int = 0) -> bool:
        """Whether the broker takes this call in this version or a later one."""
        return self.ranges.get(request.API_KEY, (0, -1))[1] >= version

    def choose(self, request: Any, where: str, *, most: int | None = None) -> int:
        """Return the newest version both sides know, no newer than `most`."""
        lowest, highest = self.ranges.get(request.API_KEY, (0, -1))
        wanted = request.max_version if most is None else min(most, request.max_version)
        chosen = min(wanted, highest)
        if chosen < max(lowest, request.min_version):
            detail = (
                f"it offers versions {lowest} to {highest}, needed is {wanted} or older"
                if highest >= 0
                else f"its Kafka ({self.release}) does not know this call"
            )
            raise UnsupportedApi(where, request.name.removesuffix("Request"), detail)
        return int(chosen)

    @property
    def release(self) -> str:
        """The oldest Kafka release that offers these ranges, such as `3.9`; brokers do not tell."""
        inferred = infer_broker_version_from_api_versions(dict(self.ranges))
        return "older than 0.10.1" if inferred is None else ".".join(map(str, inferred))

    @property
    def release_number(self) -> tuple[int, ...]:
        """The same, to compare with."""
        inferred = infer_broker_version_from_api_versions(dict(self.ranges))
        return (0, 10) if inferred is None else tuple(inferred)
