"""What can keep a producer that writes both sides from starting.

Owns the sentences. What happens to single records is told in their reports, in the client's own
errors.
"""

from kferry.errors import ExitCode, KferryError

NOTHING_SENT = "Nothing was sent to either cluster."


class MissingClientError(KferryError):
    """confluent-kafka is not there."""

    code = "K751"

    def __init__(self) -> None:
        super().__init__(
            "DualProducer needs the package confluent-kafka",
            "it is not installed",
            hint="pip install 'kferry[double-write]'",
            changed=NOTHING_SENT,
        )


class DualSettingsError(KferryError):
    """Settings that two clusters cannot be written with."""

    code = "K752"
    exit_code = ExitCode.USAGE


class NotOnTwoClustersError(KferryError):
    """A call of the client's interface that has no meaning on two clusters."""

    code = "K753"
    exit_code = ExitCode.USAGE

    def __init__(self, call: str) -> None:
        super().__init__(
            f"{call} is not offered by DualProducer",
            "two clusters have no common transaction: one could commit where the other aborts",
            hint="write without transactions while both sides are written (each is idempotent), "
            "or keep the transactional producer on one cluster and follow it with kferry copy",
        )


class MapFileError(KferryError):
    """A map file that cannot be used: damaged, of other clusters, or held by somebody else."""

    code = "K754"
