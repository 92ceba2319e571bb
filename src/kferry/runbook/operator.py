"""Whom a runbook talks to: a terminal, a log, a test.

Owns the seam. Decides nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from kferry.runbook.operations import Reading
from kferry.runbook.steps import Handover, Step


class Operator(Protocol):
    """Who looks on, and answers for what cannot be measured."""

    def about(self, facts: Mapping[str, str]) -> None:
        """Learn what it is about, for whoever stops and starts applications."""

    def narrate(self, line: str) -> None:
        """Hear a sentence."""

    def entering(self, step: Step, number: int, of: int) -> None:
        """See a step begin."""

    def gates(self, readings: Sequence[Reading]) -> None:
        """See what the gates measured just now."""

    def passed(self, step: Step) -> None:
        """See a step end well."""

    async def hand(self, handover: Handover, step: Step) -> bool:
        """Have applications do what they must; True if that was said to be done.

        False: it was asked for, and only measuring can tell. Raises where it went wrong.
        """

    async def vouch(self, reading: Reading) -> bool:
        """Ask a person to stand for what cannot be measured."""

    async def agree(self, question: str) -> bool:
        """Ask before something that cannot be taken back."""
