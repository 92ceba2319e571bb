"""YAML as a tree of our own, every node with its line.

Owns the one use of PyYAML. Nothing is constructed from tags; what the parser says is told without
the lines it quotes, because they may hold secrets.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

import yaml  # type: ignore[import-untyped]  # one module's use is not worth a stub package

from kferry.config.problems import Problem

ScalarKind = Literal["text", "int", "bool", "null", "other"]
_KINDS: dict[str, ScalarKind] = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "int",
    "tag:yaml.org,2002:bool": "bool",
    "tag:yaml.org,2002:null": "null",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A value as it was written: `0x10`, `yes` and `2026-03-01` stay what they look like."""

    line: int
    text: str
    kind: ScalarKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list."""

    line: int
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Keys and values in the order they were written, repeated keys included."""

    line: int
    entries: "tuple[tuple[Node, Node], ...]"


Node: TypeAlias = Scalar | Items | Table


class NotYaml(Exception):
    """The text cannot be read at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def read_yaml(text: str) -> Node | None:
    """Read a document; None where there is nothing in it."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return None if root is None else _Reading().convert(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(_problem(mark.line + 1 if mark else 1, error.problem or "")) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYaml(_problem(line, "a character that YAML does not allow")) from None
    except yaml.YAMLError:
        raise NotYaml(_problem(1, "not YAML")) from None
    except RecursionError:
        raise NotYaml(_problem(1, "nested deeper than anything kferry reads")) from None


def _problem(line: int, words: str) -> Problem:
    # Names of aliases and tags may be pieces of a password that was not quoted.
    harmless = re.sub(r"'[^'<]{2,}'", "…", words)
    return Problem(
        line=line,
        text=f"cannot be read: {harmless or 'not YAML'}",
        hint="mind indentation, and quote values with special characters",
    )


class _Reading:
    """One conversion; a node that is referred to often is converted once."""

    def __init__(self) -> None:
        self._done: dict[int, Node] = {}
        self._open: set[int] = set()

    def convert(self, node: yaml.Node) -> Node:
        known = self._done.get(id(node))
        if known is not None:
            return known
        line = node.start_mark.line + 1
        if id(node) in self._open:
            raise NotYaml(_problem(line, "an alias that contains itself"))
        self._open.add(id(node))
        converted = self._fresh(node, line)
        self._open.discard(id(node))
        self._done[id(node)] = converted
        return converted

    def _fresh(self, node: yaml.Node, line: int) -> Node:
        if isinstance(node, yaml.SequenceNode):
            return Items(line=line, items=tuple(map(self.convert, node.value)))
        if isinstance(node, yaml.MappingNode):
            entries = ((self.convert(key), self.convert(value)) for key, value in node.value)
            return Table(line=line, entries=tuple(entries))
        return Scalar(line=line, text=node.value, kind=_KINDS.get(node.tag, "other"))
