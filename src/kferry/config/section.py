"""One section of a configuration file: known keys, typed values, problems with their lines.

Owns what may be said about any section: unknown and repeated keys, wrong types. Knows no key.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from kferry.config.problems import Problems
from kferry.config.yaml_nodes import Items, Node, Scalar, Table

_TRUE = frozenset({"true", "yes", "on"})


class Text(NamedTuple):
    """A word, and its line."""

    text: str
    line: int


class Section:
    """A mapping with known keys. A value that is missing, or wrong and noted as such, is None."""

    def __init__(self, node: Node, *, name: str, keys: Sequence[str], problems: Problems) -> None:
        self.line = node.line
        self._name = name
        self._problems = problems
        self._values: dict[str, Node] = {}
        if isinstance(node, Table):
            self._take(node, keys)
        elif not _is_null(node):  # a section with nothing in it is an empty one
            problems.add(node.line, f"{self._place()} must hold {_listed(keys)}")

    def section(self, key: str, keys: Sequence[str]) -> "Section | None":
        """Return a section below this one."""
        node = self._values.get(key)
        if node is None:
            return None
        return Section(node, name=self._path(key), keys=keys, problems=self._problems)

    def text(self, key: str) -> Text | None:
        """Return a single value as it was written."""
        node = self._values.get(key)
        if node is None or _is_null(node):
            return None
        if isinstance(node, Scalar):
            return Text(node.text, node.line)
        self._wrong(key, node, "a single value")
        return None

    def texts(self, key: str) -> tuple[Text, ...]:
        """Return a list of words."""
        node = self._values.get(key)
        if node is None or _is_null(node):
            return ()
        if not isinstance(node, Items):
            self._wrong(key, node, "a list, such as [a, b]")
            return ()
        found = []
        for item in node.items:
            if isinstance(item, Scalar) and not _is_null(item):
                found.append(Text(item.text, item.line))
            else:
                self._wrong(key, item, "a list of single values")
        return tuple(found)

    def one_or_more(self, key: str) -> Text | None:
        """Return a word, or the words of a list with commas between them."""
        node = self._values.get(key)
        if not isinstance(node, Items):
            return self.text(key)
        return Text(",".join(one.text for one in self.texts(key)), node.line)

    def pairs(self, key: str) -> tuple[tuple[Text, Text], ...]:
        """Return a mapping of words to words whose keys are free."""
        node = self._values.get(key)
        if node is None or _is_null(node):
            return ()
        if not isinstance(node, Table):
            self._wrong(key, node, "pairs, such as old: new")
            return ()
        found: dict[str, tuple[Text, Text]] = {}
        for left, right in node.entries:
            if not isinstance(left, Scalar) or not isinstance(right, Scalar) or _is_null(left):
                self._wrong(key, left, "pairs of single values")
            elif left.text in found:
                self._repeated(f"{key}.{left.text}", left, found[left.text][0].line)
            else:
                value = "" if _is_null(right) else right.text
                found[left.text] = (Text(left.text, left.line), Text(value, right.line))
        return tuple(found.values())

    def tables(self, key: str) -> tuple[tuple[Text, tuple[tuple[Text, Text], ...]], ...]:
        """Return a mapping of free words to pairs."""
        node = self._values.get(key)
        if node is None or _is_null(node):
            return ()
        if not isinstance(node, Table):
            self._wrong(key, node, "a table, such as name: {key: value}")
            return ()
        names = [left.text for left, _ in node.entries if isinstance(left, Scalar)]
        inner = Section(node, name=self._path(key), keys=names, problems=self._problems)
        return tuple(
            (Text(name, inner.line_of(name)), inner.pairs(name)) for name in dict.fromkeys(names)
        )

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        node = self._values.get(key)
        if node is None:
            return None
        if isinstance(node, Scalar) and node.kind == "bool":
            return node.text.lower() in _TRUE
        self._wrong(key, node, "true or false")
        return None

    def whole(self, key: str, *, least: int, most: int) -> int | None:
        """Return a whole number in a range."""
        node = self._values.get(key)
        if node is None:
            return None
        if isinstance(node, Scalar) and node.kind == "int" and len(node.text) < 20:
            digits = node.text
            if digits.isascii() and digits.isdigit() and least <= int(digits) <= most:
                return int(digits)
        self._wrong(key, node, f"a whole number from {least:,} to {most:,}")
        return None

    def choice(self, key: str, choices: Sequence[str]) -> str | None:
        """Return one of a few words."""
        given = self.text(key)
        if given is None or given.text in choices:
            return None if given is None else given.text
        self._problems.add(
            given.line, f"`{self._path(key)}` must be {_listed(choices, 'or')}, not `{given.text}`"
        )
        return None

    def line_of(self, key: str) -> int:
        """Return where a key's value stands, or the section where there is none."""
        node = self._values.get(key)
        return self.line if node is None else node.line

    def _take(self, table: Table, keys: Sequence[str]) -> None:
        lines: dict[str, int] = {}
        for key, value in table.entries:
            if not isinstance(key, Scalar):
                self._problems.add(key.line, f"{self._place()}: a key must be a word")
            elif key.text in lines:
                self._repeated(key.text, key, lines[key.text])
            else:
                lines[key.text] = key.line
                if key.text in keys:
                    self._values[key.text] = value
                else:
                    self._unknown(key, keys)

    def _unknown(self, key: Scalar, keys: Sequence[str]) -> None:
        near = get_close_matches(key.text.lower(), keys, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {_listed(keys)}"
        self._problems.add(key.line, f"`{self._path(key.text)}` is not a key", hint=hint)

    def _repeated(self, key: str, node: Scalar, first: int) -> None:
        self._problems.add(
            node.line, f"`{self._path(key)}` is there twice; the first is on line {first}"
        )

    def _wrong(self, key: str, node: Node, expected: str) -> None:
        self._problems.add(node.line, f"`{self._path(key)}` must be {expected}")

    def _path(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key

    def _place(self) -> str:
        return f"`{self._name}`" if self._name else "the file"


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.kind == "null"


def _listed(words: Sequence[str], conjunction: str = "and") -> str:
    quoted = [f"`{word}`" for word in words]
    return f" {conjunction} ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))
