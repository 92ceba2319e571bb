"""What can go wrong when something is to be broken.

Owns its errors; codes continue those of the load.
"""

from kferry.errors import ExitCode
from kferry.sandbox.errors import SandboxError


class CannotBreakError(SandboxError):
    """There is nothing of that name to break, or this version cannot be broken so."""

    code = "K913"
    exit_code = ExitCode.USAGE


class NotBackError(SandboxError):
    """What was broken on purpose did not come back."""

    code = "K914"
