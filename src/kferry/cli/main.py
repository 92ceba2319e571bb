"""The one way out of the process: a command line is run, and its end becomes an exit code.

Owns which exit code an end has, and that every error is shown as one. Which commands there are, is
in `commands`.
"""

import os
import sys
import traceback
from collections.abc import Sequence

from cyclopts import CycloptsError

from kferry.cli.arguments import arrange
from kferry.cli.commands import WITH_SUBCOMMANDS, build
from kferry.cli.console import say, show_error
from kferry.cli.kafka_words import understood
from kferry.errors import ExitCode, KferryError, UsageError

_INTERRUPTED = ExitCode.STOPPED_EARLY


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run a command line; every error becomes a shown error and an exit code."""
    app = build()
    tokens = arrange(argv, groups=WITH_SUBCOMMANDS)
    try:
        tokens = understood(tokens)
        result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        show_error(UsageError(str(error), hint=f"kferry {_command(tokens)}--help"))
        return ExitCode.USAGE
    except KferryError as error:
        show_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        say("stopped; nothing was left half done")
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output went away, as `| head` does. Nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 the last line of defence: a bug is shown as one
        show_error(_bug(error))
        return ExitCode.FAILED
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _bug(error: Exception) -> KferryError:
    trace = "".join(traceback.format_exception(error))
    return KferryError(
        "kferry met something it does not understand, which is a bug of its own",
        trace,
        changed="What was changed before this cannot be told.",
        hint="please report it with the lines above and what `kferry --version` says",
    )


def _command(tokens: Sequence[str]) -> str:
    return "".join(f"{token} " for token in tokens[:1] if not token.startswith("-"))
