"""`topics` of kferry.yaml: which are meant, and what they are called on the target.

Owns what must hold between include, exclude and rename. Asks no cluster.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from kferry.config.problems import Problems
from kferry.config.section import Section, Text
from kferry.config.selection import LEDGER_PREFIX, TopicSelection
from kferry.errors import ConfigError
from kferry.names import TopicName

TOPICS_KEYS = ("include", "exclude", "rename")


def read_topics(
    section: Section | None, problems: Problems
) -> tuple[TopicSelection, Mapping[TopicName, TopicName]]:
    """Read which topics are meant and their new names."""
    if section is None:
        return TopicSelection(), MappingProxyType({})
    include = _readable(section.texts("include"), problems)
    exclude = _readable(section.texts("exclude"), problems)
    selection = TopicSelection.parse(
        (one.text for one in include), exclude=(one.text for one in exclude)
    )
    for one in include:
        name = TopicName(one.text)
        if name in selection.exact and not selection.matches(name, internal=False):
            problems.add(one.line, f"`{name}` is included by its name, and excluded")
    return selection, _rename(section.pairs("rename"), selection, problems)


def check_rename(old: str, new: str) -> tuple[TopicName, TopicName]:
    """Return a pair of names if the second may be a topic's."""
    for name in (old, new):
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name) or name in {".", ".."}:
            raise ConfigError(
                f"`{name[:80]}` is not the name of a topic",
                hint="renaming takes whole names: letters, digits, dots, dashes, underscores",
            )
        if name.startswith(LEDGER_PREFIX):
            raise ConfigError(f"`{name}` is kept for kferry's own memory")
    return TopicName(old), TopicName(new)


def _readable(given: tuple[Text, ...], problems: Problems) -> list[Text]:
    """Leave out what is no pattern, once it is noted."""
    found = []
    for one in given:
        with problems.at(one.line):
            TopicSelection.parse((one.text,))
            found.append(one)
    return found


def _rename(
    pairs: tuple[tuple[Text, Text], ...], selection: TopicSelection, problems: Problems
) -> Mapping[TopicName, TopicName]:
    renamed: dict[TopicName, TopicName] = {}
    takers: dict[TopicName, TopicName] = {}
    for old, new in pairs:
        with problems.at(old.line):
            source, target = check_rename(old.text, new.text)
            if target in takers:
                problems.add(
                    new.line, f"`{source}` and `{takers[target]}` would both become `{target}`"
                )
            elif not selection.matches(source, internal=False):
                problems.add(old.line, f"`{source}` is renamed, but not among the topics")
            takers.setdefault(target, source)
            renamed[source] = target
    return MappingProxyType(renamed)
