"""What can go wrong with live traffic.

Owns its errors; codes continue those of the sandbox.
"""

from kferry.errors import ExitCode
from kferry.sandbox.errors import SandboxError


class LiveError(SandboxError):
    """A client did not do what it was told."""

    code = "K930"


class BadLiveError(LiveError):
    """Traffic, a client or a side that cannot be."""

    code = "K931"
    exit_code = ExitCode.USAGE


class NoTrafficError(LiveError):
    """No live traffic was started there."""

    code = "K932"
    exit_code = ExitCode.USAGE
