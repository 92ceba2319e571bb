r"""What topics are called on the target: by whole names, and by patterns.

Owns which rule counts: a whole name before every pattern, then the first pattern. A glob has one
`*` on either side; a `/regular expression/` says `\1` for its first group.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kferry.config.selection import LEDGER_PREFIX
from kferry.errors import ConfigError
from kferry.names import TopicName

_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_PART = r"[A-Za-z0-9._-]*"
_GLOB = re.compile(rf"({_PART})\*({_PART})")
_HINT = 'write "orders*": "eu.orders*", or /orders-(.*)/: \'eu-\\1\''


class RenamePattern(NamedTuple):
    """A pattern of names as it was typed, what it means, and what becomes of what it matches."""

    text: str
    expression: re.Pattern[str]
    template: str


class Renaming(Mapping[TopicName, TopicName]):
    """New names. It answers for every name, and lists its names only where there are no patterns.

    So whoever would take it apart, and lose the patterns, is stopped.
    """

    __slots__ = ("_exact", "_patterns")

    def __init__(
        self,
        exact: Mapping[TopicName, TopicName] | None = None,
        patterns: Sequence[RenamePattern] = (),
    ) -> None:
        self._exact = dict(exact or {})
        self._patterns = tuple(patterns)

    def __getitem__(self, name: TopicName) -> TopicName:
        found = self._exact.get(name)
        if found is not None:
            return found
        for pattern in self._patterns:
            match = pattern.expression.fullmatch(name)
            if match is not None:
                return _usable(match.expand(pattern.template), pattern.text)
        raise KeyError(name)

    def __iter__(self) -> Iterator[TopicName]:
        if self._patterns:
            raise ConfigError(
                "this command renames topics by whole names only",
                f"`topics.rename` has the pattern {self._patterns[0].text}",
                hint="write the topics one by one: `rename: {old: new}`",
            )
        return iter(self._exact)

    def __len__(self) -> int:
        return len(self._exact) + len(self._patterns)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Renaming):
            return (self._exact, self._patterns) == (other._exact, other._patterns)
        return isinstance(other, Mapping) and not self._patterns and self._exact == dict(other)

    __hash__ = None  # type: ignore[assignment]  # a mapping is not hashed

    def __or__(self, names: Mapping[TopicName, TopicName]) -> "Renaming":
        """Put whole names on top."""
        return Renaming({**self._exact, **names}, self._patterns)


def is_rename_pattern(text: str) -> bool:
    """Whether what is renamed is a pattern, not a name."""
    return _is_expression(text) or bool(re.search(r"[*?\[]", text))


def rename_pattern(old: str, new: str) -> RenamePattern:
    """Read a pattern and the names it gives."""
    expression, template = _expression(old, new) if _is_expression(old) else _glob(old, new)
    if new.startswith(LEDGER_PREFIX):
        raise ConfigError(f"`{new}` is kept for kferry's own memory")
    return RenamePattern(old, expression, template)


def _glob(old: str, new: str) -> tuple[re.Pattern[str], str]:
    left, right = _GLOB.fullmatch(old), _GLOB.fullmatch(new)
    if left is None or right is None:
        wrong = old if left is None or _NAME.fullmatch(new) else new
        raise ConfigError(
            f"`{wrong[:80]}` is not the name of a topic, and no pattern to rename by", hint=_HINT
        )
    expression = re.compile(f"{re.escape(left[1])}(.*){re.escape(left[2])}")
    return expression, rf"{right[1]}\g<1>{right[2]}"


def _expression(old: str, new: str) -> tuple[re.Pattern[str], str]:
    try:
        expression = re.compile(old[1:-1])
        # An alternative that matches nothing shows whether every group of the template is there.
        match = re.compile(f"(?:{old[1:-1]})|").match("")
        if match is not None:
            match.expand(new)
    except (re.error, IndexError) as error:
        raise ConfigError(f"{old} to `{new}`: {error}", hint=_HINT) from None
    return expression, new


def _usable(name: str, pattern: str) -> TopicName:
    """Return a name that a pattern has given; what no topic may be called is found in pairing."""
    if name.startswith(LEDGER_PREFIX):
        raise ConfigError(f"{pattern} gives `{name}`, which is kept for kferry's own memory")
    return TopicName(name)


def _is_expression(text: str) -> bool:
    return len(text) > 1 and text.startswith("/") and text.endswith("/")
