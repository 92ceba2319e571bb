"""`kferry groups sync --follow`: told when something happens, and quiet otherwise.

Owns what is news, and the end. What is done about positions is done in `migration`.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, fitted, say
from kferry.cli.group_lines import move_json, total
from kferry.cli.group_news import News
from kferry.cli.options import Options
from kferry.cli.stopping import StoppedNow, stoppable
from kferry.config.quantities import parse_pause
from kferry.errors import ExitCode

if TYPE_CHECKING:
    from kferry.groups import Move
    from kferry.migration.group_follow import Round
    from kferry.migration.groups import GroupsRequest

_EVERY = "5s"


def run(
    request: "GroupsRequest",
    options: Options,
    *,
    every: str | None,
    force: bool,
    agree: Callable[[str, "Sequence[Move]", int, Options], bool],
) -> ExitCode:
    """Follow until Ctrl-C, and say at the end where everything stands."""
    every_s = parse_pause(every or _EVERY, where="--every")
    view = _View(options)
    try:
        agreed = loop.run(_followed(request, options, every_s, force=force, agree=agree, view=view))
    except StoppedNow:
        say("stopped now; what was being set is set or not, and the next sync says which")
        return ExitCode.STOPPED_EARLY
    if not agreed:
        say("nothing was changed")
        return ExitCode.REFUSED
    view.end()
    say(f"next: kferry groups show{options.again(topics=True)}")
    return ExitCode.DONE


async def _followed(
    request: "GroupsRequest",
    options: Options,
    every_s: float,
    *,
    force: bool,
    agree: Callable[[str, "Sequence[Move]", int, Options], bool],
    view: "_View",
) -> bool:
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.group_follow import follow  # noqa: PLC0415

    async def work(stop: asyncio.Event) -> bool:
        rounds = follow(
            request,
            agree=lambda name, moves, late: agree(name, moves, late, options),
            force=force,
            every_s=every_s,
            stop=stop,
        )
        async for found in rounds:
            if found.shown is not None and not found.shown.agreed:
                return False
            view.show(found)
        return True

    return await stoppable(work, say=say)


class _View:
    """Lines for people and logs, or one object for each round that brought something."""

    def __init__(self, options: Options) -> None:
        self._json, self._quiet = options.json, options.quiet
        self._news = News()
        self._migration = ""

    def show(self, found: "Round") -> None:
        if found.shown is not None:
            self._migration = found.shown.migration
        lines, changed = self._news.of(found, now=asyncio.get_running_loop().time())
        if self._json:
            for line in lines:
                say(line)
            if changed:
                answer_json({"at": _clock(), "changed": [move_json(one) for one in changed]})
            return
        for line in lines:
            for part in fitted(f"{_clock()}  {line}"):
                answer(part)

    def end(self) -> None:
        moves = self._news.moves
        if self._json:
            rows = [move_json(one) for one in moves]
            answer_json({"migration": self._migration, "rows": rows})
        else:
            for line in fitted(total(moves, intended="set")):
                answer(line)


def _clock() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")
