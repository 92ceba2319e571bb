"""The first words on a fresh connection: which calls do you know?

Owns the version question, for brokers of every age.
"""

from typing import Any

from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse

from kferry import __version__
from kferry.wire.connection import Connection
from kferry.wire.errors import raise_for
from kferry.wire.limits import Limits
from kferry.wire.versions import ApiVersions

_FLEXIBLE_API_VERSIONS = 3  # tells the broker who we are; older brokers answer it in version 0
_UNSUPPORTED_VERSION = 35


async def ask_versions(connection: Connection, limits: Limits) -> ApiVersions:
    """Ask which calls the broker knows; one old enough not to know the question is asked simply."""
    answer = await _ask(connection, _FLEXIBLE_API_VERSIONS, limits)
    if answer.error_code == _UNSUPPORTED_VERSION:
        answer = await _ask(connection, 0, limits)
    raise_for(answer.error_code, f"{connection.where}, ApiVersions")
    return ApiVersions({key.api_key: (key.min_version, key.max_version) for key in answer.api_keys})


async def _ask(connection: Connection, version: int, limits: Limits) -> Any:
    request = ApiVersionsRequest(
        client_software_name="kferry", client_software_version=__version__, version=version
    )
    return await connection.request(
        request, ApiVersionsResponse, version=version, seconds=limits.connect
    )
