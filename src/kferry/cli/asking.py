"""Asking whoever started a command, before something is written.

Owns that nobody is asked in vain, and what counts as a yes. What is asked is each command's own.
"""

import sys

from kferry.cli.console import say
from kferry.cli.options import Options
from kferry.errors import UsageError


def insist_on_somebody(options: Options, what: str, *, look: str = "") -> None:
    """Refuse where nobody can be asked, and nobody agreed beforehand.

    `what` the command does, as the beginning of a sentence; `look`: the end of the hint.
    """
    if not options.yes and not sys.stdin.isatty():
        raise UsageError(
            f"{what}, and there is nobody to ask",
            hint="--yes agrees beforehand" + (f"; {look}" if look else ""),
        )


def agreed(options: Options, question: str) -> bool:
    """Ask, where nobody agreed beforehand."""
    return options.yes or typed(f"{question} [y/N]").lower() in {"y", "yes"}


def typed(question: str) -> str:
    """Ask for a word."""
    say(question)
    return sys.stdin.readline().strip()
