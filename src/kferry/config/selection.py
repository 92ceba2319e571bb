"""Which topics are meant: names, globs, and `/regular expressions/`.

Owns the one rule of selection: a pattern must match the whole name; internal topics are only meant
when they are named outright, and kferry's own ledgers never. Asks no cluster.
"""

import fnmatch
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from kferry.errors import ConfigError
from kferry.names import TopicName

LEDGER_PREFIX = "__kferry."
"""Topics of this name are the memory of migrations: never copied, created or compared."""

_GLOB = re.compile(r"[*?\[]")


class Pattern(NamedTuple):
    """A pattern as it was typed, and what it means."""

    text: str
    expression: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class TopicSelection:
    """The topics that a command is about; without a pattern, all that are not internal."""

    exact: frozenset[TopicName] = frozenset()
    patterns: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    """Left out even where the rest means them."""
    within: "TopicSelection | None" = None
    """A wider selection that must mean a topic, too."""

    @classmethod
    def parse(cls, texts: Iterable[str], *, exclude: Iterable[str] = ()) -> "TopicSelection":
        """Read patterns as people type them."""
        exact: set[TopicName] = set()
        patterns: list[Pattern] = []
        for text in texts:
            if _is_pattern(text):
                patterns.append(_pattern(text))
            elif text.startswith(LEDGER_PREFIX):
                raise ConfigError(
                    f"{text} is kferry's own memory, and never part of a selection",
                    hint="`kferry status` reads it",
                )
            else:
                exact.add(TopicName(text))
        return cls(frozenset(exact), tuple(patterns), tuple(map(_pattern, exclude)))

    def narrowed(self, texts: Iterable[str]) -> "TopicSelection":
        """Leave of this selection only what these patterns mean, too."""
        narrow = TopicSelection.parse(texts)
        # Whether a topic is internal is known to the cluster alone; named here, it is named.
        outside = sorted(name for name in narrow.exact if not self.matches(name, internal=False))
        if outside:
            raise ConfigError(
                f"not among the topics of the migration: {', '.join(outside)}",
                hint="add it to `topics` in the file, or leave the file out with --source and "
                "--target",
            )
        return TopicSelection(narrow.exact, narrow.patterns, within=self)

    def matches(self, name: TopicName, *, internal: bool) -> bool:
        """Whether a topic is meant."""
        if name.startswith(LEDGER_PREFIX) or self._is_excluded(name):
            return False
        if self.within is not None and not self.within.matches(name, internal=internal):
            return False
        if name in self.exact:
            return True
        if internal or name.startswith("__"):
            return False
        if not self.exact and not self.patterns:
            return True
        return any(pattern.expression.fullmatch(name) for pattern in self.patterns)

    def _is_excluded(self, name: TopicName) -> bool:
        return any(pattern.expression.fullmatch(name) for pattern in self.exclude)

    def unmatched(self, names: Collection[TopicName]) -> list[str]:
        """Return the patterns that mean none of these topics: mistyped, as a rule."""
        return [
            pattern.text
            for pattern in self.patterns
            if not any(pattern.expression.fullmatch(name) for name in names)
        ]


def _is_pattern(text: str) -> bool:
    return _is_expression(text) or _GLOB.search(text) is not None


def _is_expression(text: str) -> bool:
    return len(text) > 1 and text.startswith("/") and text.endswith("/")


def _pattern(text: str) -> Pattern:
    """Read a pattern; a plain name is one that means itself."""
    if _is_expression(text):
        return Pattern(text, _regex(text))
    translated = fnmatch.translate(text) if _GLOB.search(text) else re.escape(text)
    return Pattern(text, re.compile(translated))


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text[1:-1])
    except re.error as error:
        raise ConfigError(
            f"{text} is not a regular expression", str(error), hint="mind the escaping of the shell"
        ) from None
