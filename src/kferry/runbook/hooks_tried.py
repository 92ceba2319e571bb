"""Hooks called by a rehearsal.

Owns telling which may be called: one that does not know of rehearsals would act for real, so it is
named instead of run.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kferry.runbook.hooks import HookFailed, Hooks
from kferry.runbook.rehearsed import HookTried
from kferry.runbook.steps import Handover, Hook

VARIABLE = "KFERRY_REHEARSAL"
_UNAWARE = (
    f"not called: it does not mention {VARIABLE}, so it would act for real. Let it look at that "
    "variable, and only say what it would do where it is 1"
)


def knows_of_rehearsals(path: Path) -> bool:
    """Whether an executable mentions the variable that tells it so."""
    return VARIABLE.encode() in path.read_bytes()


@dataclass(slots=True, kw_only=True)
class Trying:
    """Calls hooks as a cutover would, with the word that it is a rehearsal."""

    hooks: Hooks
    facts: Mapping[str, str]
    """What a cutover would tell them."""
    narrate: Callable[[str], None]
    stop: asyncio.Event

    def has(self, hook: Hook) -> bool:
        """Whether there is such a hook."""
        return (self.hooks.folder / hook.value).is_file()

    async def call(self, step: str, handover: Handover) -> HookTried:
        """Call one to its end, and time it; failing is a finding, not an error."""
        began = time.monotonic()
        hooks = replace(self.hooks, facts={**self.facts, VARIABLE: "1"})
        try:
            path = hooks.find(handover.hook)
            if path is None:
                return HookTried(step=step, handover=handover, state="person")
            if not knows_of_rehearsals(path):
                return HookTried(step=step, handover=handover, state="not-called", why=_UNAWARE)
            self.narrate(f"runs {path.name}, with {VARIABLE}=1: {handover.asks}")
            await hooks.run(path, handover.facts(step), self.narrate, self.stop)
        except HookFailed as error:
            why = f"{error.title}: {error.detail}" if error.detail else error.title
            return HookTried(step=step, handover=handover, state="failed", why=why)
        took = time.monotonic() - began
        return HookTried(step=step, handover=handover, state="done", seconds=took)
