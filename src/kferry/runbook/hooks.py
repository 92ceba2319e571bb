"""Executables that stop, start and move applications, called at the right moment.

Owns how they are found and what they are told. They come from a directory that the operator named
or keeps beside the migration file, never from anything a cluster says.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kferry.errors import ExitCode, KferryError
from kferry.runbook.operations import Stopped
from kferry.runbook.steps import Hook

_LAST_WORDS_S = 2.0
_BLOCK = 1 << 14


class HookFailed(KferryError):
    """A hook did not do what it should."""

    code = "K248"
    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The executables of one directory."""

    folder: Path
    seconds: float
    """How long one may take."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What every hook is told, as `KFERRY_…`."""

    def find(self, hook: Hook) -> Path | None:
        """Return the executable of a hook; None where there is none."""
        path = self.folder.resolve() / hook.value
        if not path.is_file():
            return None
        if not os.access(path, os.X_OK):
            raise HookFailed(
                f"{path} is there, but not executable",
                hint=f"chmod +x {path}, or take it away to be asked instead",
                changed="It was not run.",
            )
        return path

    async def run(
        self, path: Path, facts: Mapping[str, str], tell: Callable[[str], None], stop: asyncio.Event
    ) -> None:
        """Run one to its end; what it writes is passed on."""
        environment = {**os.environ, **self.facts, **facts}
        try:
            process = await asyncio.create_subprocess_exec(
                str(path),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise HookFailed(
                f"{path.name} cannot be started",
                f"{error.strerror}: a script begins with #!",
                hint="mend it, then kferry cutover goes on from the last good step",
            ) from None
        said = asyncio.create_task(_pass_on(process, path.name, tell))
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait(
                {ended, stopped}, timeout=self.seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not ended.done():
                _end(process)
                await asyncio.wait({ended}, timeout=_LAST_WORDS_S)
                if stop.is_set():
                    raise Stopped
                raise HookFailed(
                    f"{path.name} was not done after {self.seconds:,.0f} s, and was ended",
                    hint="mend it, then kferry cutover goes on from the last good step",
                )
            # What it left running in the background holds its output open: not waited for.
            await asyncio.wait({said}, timeout=_LAST_WORDS_S)
        finally:
            for one in (said, ended, stopped):
                one.cancel()
        if process.returncode:
            raise HookFailed(
                f"{path.name} failed with exit code {process.returncode}",
                hint="mend it, then kferry cutover goes on from the last good step",
            )


async def _pass_on(
    process: asyncio.subprocess.Process, name: str, tell: Callable[[str], None]
) -> None:
    """Pass on what it says, line by line; a line without an end comes in pieces."""
    assert process.stdout is not None  # noqa: S101 it was asked for above
    rest = b""
    while block := await process.stdout.read(_BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > _BLOCK:
            lines, rest = [*lines, rest], b""
        for line in lines:
            tell(f"{name}: {line.decode(errors='replace').rstrip()}")
    if rest:
        tell(f"{name}: {rest.decode(errors='replace').rstrip()}")


def _end(process: asyncio.subprocess.Process) -> None:
    """End it with its children: it has a session of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
