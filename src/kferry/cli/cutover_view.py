"""How a cutover looks while it is walked: steps, gates with what they measured, and questions.

Owns the words on the screen and who is asked. What is measured and what follows from it is decided
in `runbook`.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kferry.cli.console import answer_json, fitted, harmless, say, styled
from kferry.cli.cutover_lines import gate_lines
from kferry.cli.live import LiveBlock
from kferry.errors import UsageError
from kferry.runbook import Handover, Reading, Step, Stopped, reading_json
from kferry.runbook.hooks import Hooks

_AGAIN_S = 10.0
"""How often plain lines repeat a gate that stays shut."""


@dataclass(slots=True, kw_only=True)
class Screen:
    """An operator at a terminal, or whoever reads its log."""

    hooks: Hooks
    stop: asyncio.Event
    yes: bool
    vouched: bool
    """Whether it was said beforehand that all producers are stopped."""
    json: bool
    quiet: bool
    _block: LiveBlock | None = field(init=False)
    _last: tuple[tuple[str, bool], ...] = ()
    _shown_at: float = 0.0

    def __post_init__(self) -> None:
        live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._block = LiveBlock(sys.stderr) if live and not self.json else None

    def about(self, facts: Mapping[str, str]) -> None:
        """Hooks are told what it is about."""
        self.hooks = replace(self.hooks, facts=facts)

    def narrate(self, line: str) -> None:
        """Say a sentence."""
        if self.quiet:
            return
        for part in fitted(line):
            self._say(part)

    def entering(self, step: Step, number: int, of: int) -> None:
        """Head a step."""
        self._event({"event": "step", "step": step.name, "number": number, "of": of})
        self._last, self._shown_at = (), 0.0
        self._say("")
        mark = " (the point of no return)" if step.no_return else ""
        for part in fitted(
            styled(f"{number}/{of} {step.name}", "bold", sys.stderr) + mark + f": {step.says}"
        ):
            self._say(part)

    def gates(self, readings: Sequence[Reading]) -> None:
        """Show what the gates say; in plain lines only what is news."""
        state = tuple((one.gate, one.passed) for one in readings)
        news = state != self._last
        if news:
            self._event({"event": "gates", "gates": [reading_json(one) for one in readings]})
        open_ = all(one.passed for one in readings)
        if self._block is not None and not open_:
            self._block.show([harmless(line) for line in gate_lines(readings)])
        elif news or time.monotonic() - self._shown_at > _AGAIN_S:
            self._shown_at = time.monotonic()
            # What was open and is so still was said; what is shut is worth repeating.
            told = [one for one in readings if not one.passed or (one.gate, True) not in self._last]
            for line in gate_lines(told):
                self._say(line)
        self._last = state

    def passed(self, step: Step) -> None:
        """Nothing more is said of a step that went well; its gates were."""
        self._event({"event": "passed", "step": step.name})

    def close(self) -> None:
        """Leave the screen as it should stay."""
        if self._block is not None:
            self._block.end()

    async def hand(self, handover: Handover, step: Step) -> bool:
        """Run the hook, or say what a person has to do now."""
        path = self.hooks.find(handover.hook)
        self._event(
            {
                "event": "hand",
                "step": step.name,
                "hook": handover.hook.value,
                "do": handover.do,
                "on": handover.on,
            }
        )
        if path is not None:
            self.narrate(f"runs {path.name}: {handover.asks}")
            await self.hooks.run(path, handover.facts(step.name), self.narrate, self.stop)
            return True
        self._say(styled(f"→ now: {handover.asks}", "warning", sys.stderr))
        return False

    async def vouch(self, reading: Reading) -> bool:
        """Ask for a person's word."""
        if self.vouched:
            return True
        for line in gate_lines([reading]):
            self._say(line)
        if not sys.stdin.isatty() or self.json:
            self._say(
                "  nobody can be asked here: --producers-stopped says beforehand that they are"
            )
            return False
        return await self._typed(
            "type `stopped` if all of their producers are stopped: ", "stopped"
        )

    async def agree(self, question: str) -> bool:
        """Ask before what cannot be taken back."""
        if self.yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError(
                "there is nobody to ask at the point of no return",
                hint="--yes agrees beforehand",
            )
        return await self._typed(f"{question} [y/N] ", "y")

    async def _typed(self, question: str, wanted: str) -> bool:
        self.close()
        for part in fitted(question):
            say(part)
        typed = await self._line()
        return typed.strip().lower() in {wanted, f"{wanted}es"}

    async def _line(self) -> str:
        """Read a line, unless we are asked to stop first: a thread that reads could not be left."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(sys.stdin, readable.set)
        waits = {asyncio.create_task(one.wait()) for one in (readable, self.stop)}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(sys.stdin)
            for one in waits:
                one.cancel()
        if self.stop.is_set():
            raise Stopped
        return sys.stdin.readline()

    def _say(self, line: str) -> None:
        if self._block is not None:
            self._block.above(harmless(line))
        else:
            say(line)

    def _event(self, value: dict[str, object]) -> None:
        if self.json:
            answer_json(value)
