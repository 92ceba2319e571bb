"""Which topics are meant: names, globs, and `/regular expressions/`.

Owns the one rule of selection: a pattern must match the whole name; internal topics are only meant
when they are named outright. Asks no cluster.
"""

import fnmatch
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from kferry.errors import ConfigError
from kferry.names import TopicName

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

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "TopicSelection":
        """Read patterns as people type them."""
        exact: set[TopicName] = set()
        patterns: list[Pattern] = []
        for text in texts:
            if len(text) > 1 and text.startswith("/") and text.endswith("/"):
                patterns.append(Pattern(text, _regex(text)))
            elif _GLOB.search(text):
                patterns.append(Pattern(text, re.compile(fnmatch.translate(text))))
            else:
                exact.add(TopicName(text))
        return cls(frozenset(exact), tuple(patterns))

    def matches(self, name: TopicName, *, internal: bool) -> bool:
        """Whether a topic is meant."""
        if name in self.exact:
            return True
        if internal or name.startswith("__"):
            return False
        if not self.exact and not self.patterns:
            return True
        return any(pattern.expression.fullmatch(name) for pattern in self.patterns)

    def unmatched(self, names: Collection[TopicName]) -> list[str]:
        """Return the patterns that mean none of these topics: mistyped, as a rule."""
        return [
            pattern.text
            for pattern in self.patterns
            if not any(pattern.expression.fullmatch(name) for name in names)
        ]


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text[1:-1])
    except re.error as error:
        raise ConfigError(
            f"{text} is not a regular expression", str(error), hint="mind the escaping of the shell"
        ) from None
