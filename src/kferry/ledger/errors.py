"""What can go wrong with a ledger.

Owns the ledger's part of the error tree. What a broker answers to any call is in `wire`.
"""

from kferry.errors import ExitCode, KferryError


class BadMigrationName(KferryError):
    """No topic can be called after it."""

    code = "K400"
    exit_code = ExitCode.USAGE


class LedgerLost(KferryError):
    """Another process owns the slot now; ours may not write any more."""

    code = "K401"
    exit_code = ExitCode.LEDGER_HELD


class LedgerDoubt(KferryError):
    """What was written before cannot be found again; whoever goes on has to read first."""

    code = "K402"
    exit_code = ExitCode.TRY_AGAIN


class LedgerTooNew(KferryError):
    """A later release of kferry has written here."""

    code = "K403"


class LedgerCorrupt(KferryError):
    """A batch in the ledger is not what its producer sent."""

    code = "K404"


class LedgerRefused(KferryError):
    """The broker does not take what is written, and will not later either."""

    code = "K405"


class LedgerUnfit(KferryError):
    """A topic of the ledger's name cannot hold a ledger."""

    code = "K406"
    exit_code = ExitCode.USAGE


class LedgerNotCreated(KferryError):
    """The ledger's topic is not there and cannot be made."""

    code = "K407"


class DocumentTooLarge(KferryError):
    """A document that nobody would read back."""

    code = "K408"
