"""`topics` of kferry.yaml: which are meant, what they are called on the target and what they are.

Owns what must hold between include, exclude and rename. Asks no cluster.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from kferry.config.plan_settings import ConfigWish, TopicWishes, config_patterns, parse_replication
from kferry.config.problems import Problems
from kferry.config.renaming import RenamePattern, Renaming, is_rename_pattern, rename_pattern
from kferry.config.section import Section, Text
from kferry.config.selection import LEDGER_PREFIX, TopicSelection
from kferry.errors import ConfigError
from kferry.names import TopicName

TOPICS_KEYS = (
    "include",
    "exclude",
    "rename",
    "replication",
    "configs",
    "exclude_configs",
    "mm2_excludes",
    "clamp",
    "change",
)
_DEFAULT = "default"
"""Of a config: what the target's brokers have."""
_FLAGS = {
    **dict.fromkeys(("true", "yes", "on"), "true"),
    **dict.fromkeys(("false", "no", "off"), "false"),
}
"""Kafka knows two of the words that YAML takes for the same."""


_NUMBERS = frozenset({"max.message.bytes", "min.insync.replicas", "segment.bytes", "segment.ms"})
"""Of configs: those that are compared with others before a broker sees them."""


class TopicsSection(NamedTuple):
    """What the section says."""

    selection: TopicSelection
    rename: Renaming
    wishes: TopicWishes


def read_topics(section: Section | None, problems: Problems) -> TopicsSection:
    """Read which topics are meant, their new names, and what they shall be."""
    if section is None:
        return TopicsSection(TopicSelection(), Renaming(), TopicWishes())
    include = _readable(section.texts("include"), problems)
    exclude = _readable(section.texts("exclude"), problems)
    selection = TopicSelection.parse(
        (one.text for one in include), exclude=(one.text for one in exclude)
    )
    for one in include:
        name = TopicName(one.text)
        if name in selection.exact and not selection.matches(name, internal=False):
            problems.add(one.line, f"`{name}` is included by its name, and excluded")
    rename = _rename(section.pairs("rename"), selection, problems)
    return TopicsSection(selection, rename, _wishes(section, problems))


def check_rename(old: str, new: str) -> tuple[TopicName, TopicName]:
    """Return a pair of names if the second may be a topic's."""
    for name in (old, new):
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name) or name in {".", ".."}:
            raise ConfigError(
                f"`{name[:80]}` is not the name of a topic",
                hint="a name has letters, digits, dots, dashes, underscores",
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
) -> Renaming:
    renamed: dict[TopicName, TopicName] = {}
    patterns: list[RenamePattern] = []
    takers: dict[TopicName, TopicName] = {}
    for old, new in pairs:
        with problems.at(old.line):
            if is_rename_pattern(old.text):
                patterns.append(rename_pattern(old.text, new.text))
                continue
            source, target = check_rename(old.text, new.text)
            if target in takers:
                problems.add(
                    new.line, f"`{source}` and `{takers[target]}` would both become `{target}`"
                )
            elif not selection.matches(source, internal=False):
                problems.add(old.line, f"`{source}` is renamed, but not among the topics")
            takers.setdefault(target, source)
            renamed[source] = target
    return Renaming(renamed, patterns)


def _wishes(section: Section, problems: Problems) -> TopicWishes:
    change = _readable(section.texts("change"), problems)
    return TopicWishes(
        replication=_replication(section.text("replication"), problems),
        exclude_configs=config_patterns(
            one.text for one in _readable(section.texts("exclude_configs"), problems)
        ),
        mm2_excludes=section.flag("mm2_excludes") or False,
        clamp=section.flag("clamp") or False,
        change=TopicSelection.parse(one.text for one in change) if change else None,
        configs=_configs(section, problems),
    )


def _replication(given: Text | None, problems: Problems) -> int | None:
    if given is None:
        return None
    with problems.at(given.line):
        return parse_replication(given.text, where="`topics.replication`")
    return None


def _configs(section: Section, problems: Problems) -> tuple[ConfigWish, ...]:
    wishes = []
    for topics, pairs in section.tables("configs"):
        for config, value in pairs:
            if not value.text:
                problems.add(
                    config.line,
                    f"`topics.configs.{topics.text}.{config.text}` has no value",
                    hint=f"write `{_DEFAULT}` for the target's own",
                )
            elif config.text in _NUMBERS and not _is_number_or_default(value.text):
                problems.add(
                    value.line,
                    f"`topics.configs.{topics.text}.{config.text}` must be a whole number",
                    hint=f"write it without a unit, or `{_DEFAULT}` for the target's own",
                )
        with problems.at(topics.line):
            wishes.append(ConfigWish(TopicSelection.parse((topics.text,)), _values(pairs)))
    return tuple(wishes)


def _is_number_or_default(text: str) -> bool:
    return text == _DEFAULT or re.fullmatch(r"-?[0-9]{1,19}", text) is not None


def _values(pairs: tuple[tuple[Text, Text], ...]) -> Mapping[str, str | None]:
    return MappingProxyType(
        {
            config.text: None
            if value.text == _DEFAULT
            else _FLAGS.get(value.text.lower(), value.text)
            for config, value in pairs
        }
    )
