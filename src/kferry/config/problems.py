"""What is wrong with a file, all of it at once.

Owns the list and how it becomes one error. Knows no file format.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kferry.errors import ConfigError

_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, and where."""

    line: int
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" + (f"; {self.hint}" if self.hint else "")


class Problems:
    """Problems as they are found."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, line: int, text: str, *, hint: str = "") -> None:
        """Note a problem; reading goes on, to find the others."""
        self._found.append(Problem(line=line, text=text, hint=hint))

    def note(self, problem: Problem) -> None:
        """Note a problem that is one already."""
        self._found.append(problem)

    @contextmanager
    def at(self, line: int, *, within: str = "") -> Iterator[None]:
        """Turn an error about a single value into a problem at its line.

        An error that begins with `<within> line 12: ` knows its own line better.
        """
        try:
            yield
        except ConfigError as error:
            known = re.match(rf"{re.escape(within)} line (\d+): ", error.title) if within else None
            text = f"{within}: {error.title[known.end() :]}" if known else error.title
            self.add(int(known[1]) if known else line, text, hint=error.hint)

    def raise_if_any(self, name: str) -> None:
        """End with one error that names them all, in the order of the file."""
        if not self._found:
            return
        found = sorted(self._found, key=lambda problem: problem.line)
        lines = [str(problem) for problem in found[:_MOST]]
        if len(found) > _MOST:
            lines.append(f"and {len(found) - _MOST} more")
        count = "a problem" if len(found) == 1 else f"{len(found)} problems"
        raise ConfigError(
            f"{name} has {count}",
            "\n".join(lines),
            hint=f"mend {name}, then run the same command again",
        )
