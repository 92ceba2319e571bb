"""What can go wrong with a load.

Owns its errors; codes continue those of the sandbox.
"""

from kferry.errors import ExitCode
from kferry.sandbox.errors import SandboxError


class UnknownShapeError(SandboxError):
    """There is no shape of that name."""

    code = "K910"
    exit_code = ExitCode.USAGE


class OtherLoadError(SandboxError):
    """The cluster holds another load of this shape: other seed, other scale, or half of one."""

    code = "K911"


class LoadError(SandboxError):
    """A broker refused a record, a topic or a position, or something never came to pass."""

    code = "K912"

    def __init__(self, title: str, detail: str = "") -> None:
        super().__init__(
            title,
            detail,
            hint="kferry sandbox down, then up and load again; a half-filled shape is not mended",
            changed="What was loaded before it stays.",
        )


class StoppedError(LoadError):
    """A shape was left half filled because the load was stopped, or another shape failed."""

    def __init__(self) -> None:
        super().__init__("the load was stopped")
