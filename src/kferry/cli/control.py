"""`kferry control`: what a running copy can be asked for, from any machine.

Owns the words of it. A wish is written to the ledger; whoever copies reads it there.
"""

from typing import TYPE_CHECKING

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.tables import visible
from kferry.cli.words import size
from kferry.config import parse_rate
from kferry.errors import ExitCode

if TYPE_CHECKING:
    from kferry.migration.requests import WishKind

_NO_LIMIT = frozenset({"off", "none", "unlimited"})


def rate(value: str, *, options: Options | None = None) -> ExitCode:
    """Change how fast it copies at most; `off` lifts the limit.

    Parameters
    ----------
    value
        as in 50MiB/s, or `off`
    """
    limit = None if value.lower() in _NO_LIMIT else parse_rate(value, where="control rate")
    words = "copy as fast as it can" if limit is None else f"copy at most {size(limit)}/s"
    return _wish("rate", limit, words, options)


def pause(*, options: Options | None = None) -> ExitCode:
    """Copy nothing more until `control resume`; the copy keeps its place."""
    return _wish("pause", None, "pause", options)


def resume(*, options: Options | None = None) -> ExitCode:
    """Go on after a pause."""
    return _wish("resume", None, "go on", options)


def stop(*, options: Options | None = None) -> ExitCode:
    """Stop at a safe point and end the process, as Ctrl-C there would."""
    return _wish("stop", None, "stop at a safe point", options)


def _wish(kind: "WishKind", value: int | None, words: str, options: Options | None) -> ExitCode:
    options = options or Options()
    target = target_of(options, f"control {kind}")
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration import Wish, control  # noqa: PLC0415

    migration = loop.run(
        control(
            target,
            migration=options.migration_name,
            wish=Wish(kind=kind, value=value),
            source=options.source_settings,
        )
    )
    if options.json:
        answer_json({"migration": migration, "wish": kind, "value": value})
    else:
        answer(f"{visible(migration)} was asked to {words}; it hears of it within seconds")
    say(f"next: kferry status{options.again()}")
    return ExitCode.DONE
