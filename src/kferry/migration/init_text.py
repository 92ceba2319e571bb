"""The text of a new kferry.yaml: every key with what it does, and what was found as comments.

Owns the layout. `# words` explain; `#key: value` is a key that is switched off. Pure.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kferry.migration.init_keys import CHAPTERS, NAME, Chapter, Key
from kferry.migration.init_yaml import Value, entry

_WIDTH = 100
_WHAT_IT_IS = (
    "A migration from one Kafka cluster to another. `kferry check`, `plan`, `apply`, `copy` and "
    "all other commands read this file where it lies."
)
_HOW_TO_READ_IT = (
    "Lines such as `#key: value` are keys that are switched off, with an example: take the `#` "
    "away to use one."
)


@dataclass(slots=True, kw_only=True)
class Draft:
    """What is known for the file."""

    name: str | None = None
    sections: dict[str, dict[str, Value]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """By section, before its keys; a line each; what is too wide is broken."""
    head: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    """At the end of the file."""

    def put(self, section: str, **values: Value) -> None:
        """Set keys."""
        self.sections.setdefault(section, {}).update(values)

    def remark(self, section: str, *lines: str) -> None:
        """Say something in a section."""
        self.remarks.setdefault(section, []).extend(lines)


def render(draft: Draft) -> str:
    """Write the file."""
    lines = [*_said(_WHAT_IT_IS, _HOW_TO_READ_IT, *draft.head), "", "version: 1", ""]
    lines += _key(NAME, draft.name, indent=0)
    for chapter in CHAPTERS:
        lines += ["", *_chapter(chapter, draft)]
    if draft.tail:
        lines += ["", *_comments(draft.tail, indent=0)]
    return "\n".join(lines) + "\n"


def _chapter(chapter: Chapter, draft: Draft) -> Iterator[str]:
    values: Mapping[str, Value] = draft.sections.get(chapter.name, {})
    yield from _said(chapter.says)
    off = not values and not chapter.optional
    yield f"{'#' if off else ''}{chapter.name}:"
    remarks = draft.remarks.get(chapter.name, ())
    if remarks:
        yield from _comments(remarks, indent=2)
        yield ""
    for key in chapter.keys:
        yield from _key(key, values.get(key.name), indent=2)


def _key(key: Key, value: Value | None, *, indent: int) -> Iterator[str]:
    yield from _said(key.says, indent=indent)
    if value is not None:
        yield from entry(key.name, value, indent=indent)
        return
    for line in entry(key.name, key.example, indent=indent):
        yield f"{line[:indent]}#{line[indent:]}"


def _said(*paragraphs: str, indent: int = 0) -> Iterator[str]:
    lead = f"{' ' * indent}# "
    for paragraph in paragraphs:
        yield from textwrap.wrap(
            paragraph,
            _WIDTH,
            initial_indent=lead,
            subsequent_indent=lead,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _comments(lines: Iterable[str], *, indent: int) -> Iterator[str]:
    for line in lines:
        # What clusters and other files say must neither end the comment nor switch on a key.
        harmless = re.sub(r"[^\x20-\x7e\xa0-\u2027\u202f-\ud7ff\uf900-\ufffd]", "?", line)
        words = harmless.lstrip()
        lead = f"{' ' * indent}# {' ' * (len(harmless) - len(words))}"
        yield from textwrap.wrap(
            harmless,
            _WIDTH,
            initial_indent=f"{' ' * indent}# ",
            subsequent_indent=lead if words == harmless else f"{lead}  ",
            break_long_words=False,
            break_on_hyphens=False,
        ) or [f"{' ' * indent}#"]
