"""What can go wrong with a sandbox, each with a code and a way out.

Owns the K9xx errors. Knows neither brokers nor how an error is shown.
"""

from kferry.errors import ExitCode, KferryError

NOTHING_RUNS = "Nothing was started."
CLEANED_UP = "Everything this command had started was stopped, its folder removed."


class SandboxError(KferryError):
    """A sandbox could not do what was asked."""

    code = "K900"


class BadSpecError(SandboxError):
    """A cluster that the sandbox cannot build: a name, a number or a mode it does not have."""

    code = "K901"
    exit_code = ExitCode.USAGE


class UnknownVersionError(SandboxError):
    """A Kafka version that the sandbox has no jars for."""

    code = "K902"
    exit_code = ExitCode.USAGE


class NameInUseError(SandboxError):
    """A sandbox of that name exists already."""

    code = "K903"


class NotFoundError(SandboxError):
    """There is no sandbox of that name."""

    code = "K904"


class MissingPartError(SandboxError):
    """A Python package of the `sandbox` extra, or the Java runtime in it, is not there."""

    code = "K905"


class JarsError(SandboxError):
    """Kafka's jars could not be fetched, or are not the ones that were locked."""

    code = "K906"
    exit_code = ExitCode.TRY_AGAIN


class NoSpaceError(SandboxError):
    """The disk has no room for jars or for broker data."""

    code = "K907"


class BootError(SandboxError):
    """A broker (or its ZooKeeper) ended, or did not answer, while it started."""

    code = "K908"


class PortTakenError(BootError):
    """Somebody else took a port between our looking and the broker's binding."""

    code = "K909"
