"""kferry.yaml: a migration as one file.

Owns its keys and what they mean together. Every problem is found before one error tells them all.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, get_args

from kferry.config.access_section import ACCESS_KEYS, read_access
from kferry.config.cluster_section import CLUSTER_KEYS, read_cluster
from kferry.config.plan_settings import AccessWishes, TopicWishes
from kferry.config.problems import Problems
from kferry.config.quantities import parse_rate
from kferry.config.renaming import Renaming
from kferry.config.section import Section, Text
from kferry.config.selection import TopicSelection
from kferry.config.settings import ClusterSettings
from kferry.config.starts import Beginning, FromEnd, Since, Start, Unconsumed, parse_time
from kferry.config.topics_section import TOPICS_KEYS, read_topics
from kferry.config.yaml_nodes import NotYaml, Scalar, read_yaml
from kferry.errors import ConfigError

OnGap = Literal["stop", "record"]
Pipelining = Literal["safe", "relaxed"]
_Word = TypeVar("_Word", bound=str)

DEFAULT_NAME = "kferry.yaml"
VERSION = 1
FILE_KEYS = ("version", "name", "source", "target", "topics", "access", "copy", "ledger")
COPY_KEYS = ("start", "on_gap", "rate", "append", "suspend_retention", "pipelining")
LEDGER_KEYS = ("slots", "replication")
_LARGEST_FILE = 1 << 20
_STARTS: Mapping[str, Start] = {
    "beginning": Beginning(),
    "end": FromEnd(),
    "unconsumed": Unconsumed(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySettings:
    """The `copy` section; None: nothing was said."""

    start: Start | None = None
    start_assumed_utc: bool = False
    """`start` is a time without a zone, which was taken as UTC."""
    on_gap: OnGap | None = None
    rate: int | None = None
    append: bool = False
    suspend_retention: bool = False
    pipelining: Pipelining | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """The `ledger` section; None: nothing was said."""

    slots: int | None = None
    replication: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationFile:
    """What a migration file says."""

    path: Path
    name: str | None = None
    source: ClusterSettings | None = None
    target: ClusterSettings | None = None
    selection: TopicSelection = field(default_factory=TopicSelection)
    rename: Renaming = field(default_factory=Renaming)
    topic_wishes: TopicWishes = field(default_factory=TopicWishes)
    access_wishes: AccessWishes = field(default_factory=AccessWishes)
    copy: CopySettings = field(default_factory=CopySettings)
    ledger: LedgerSettings = field(default_factory=LedgerSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line says about one side, and so need not be right in the file."""

    bootstrap: str | None = None
    whole: bool = False
    """Everything: the file's section is not read at all."""


def load_migration_file(
    path: Path,
    *,
    source: Given = Given(),
    target: Given = Given(),
    environment: Mapping[str, str] = os.environ,
) -> MigrationFile:
    """Read a migration file."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"cannot read {path}: {reason}", hint="check --config") from None
    if len(content) > _LARGEST_FILE:
        raise ConfigError(f"{path} is too large to be a migration file", hint="check --config")
    problems = Problems()
    sides = {"source": source, "target": target}
    found = _parse(text, path=path, sides=sides, environment=environment, problems=problems)
    problems.raise_if_any(str(path))
    return found


def _parse(
    text: str,
    *,
    path: Path,
    sides: Mapping[str, Given],
    environment: Mapping[str, str],
    problems: Problems,
) -> MigrationFile:
    try:
        node = read_yaml(text)
    except NotYaml as error:
        problems.note(error.problem)
        return MigrationFile(path=path)
    node = Scalar(line=1, text="", kind="null") if node is None else node
    file = Section(node, name="", keys=FILE_KEYS, problems=problems)
    if not _is_our_version(file, problems):
        return MigrationFile(path=path)
    clusters = {
        side: read_cluster(
            section,
            side,
            folder=path.parent,
            problems=problems,
            bootstrap=given.bootstrap,
            environment=environment,
        )
        for side, given in sides.items()
        if not given.whole and (section := file.section(side, CLUSTER_KEYS)) is not None
    }
    topics = read_topics(file.section("topics", TOPICS_KEYS), problems)
    return MigrationFile(
        path=path,
        name=_name(file, problems),
        source=clusters.get("source"),
        target=clusters.get("target"),
        selection=topics.selection,
        rename=topics.rename,
        topic_wishes=topics.wishes,
        access_wishes=read_access(
            file.section("access", ACCESS_KEYS), problems, folder=path.parent
        ),
        copy=_copy(file.section("copy", COPY_KEYS), problems),
        ledger=_ledger(file.section("ledger", LEDGER_KEYS)),
    )


def _is_our_version(file: Section, problems: Problems) -> bool:
    given = file.text("version")
    if given is None:
        problems.add(file.line, "`version` is missing", hint=f"add `version: {VERSION}`")
        return True  # all the rest can be judged
    if given.text == str(VERSION):
        return True
    problems.add(
        given.line,
        f"`version` must be {VERSION}, not `{given.text}`",
        hint="a higher one is for a newer kferry: pip install --upgrade kferry",
    )
    return False


def _name(file: Section, problems: Problems) -> str | None:
    given = file.text("name")
    if given is None:
        return None
    with problems.at(given.line):
        return check_migration_name(given.text, where="`name`")
    return None


def check_migration_name(name: str, *, where: str) -> str:
    """Return a migration's name if a topic can be named after it."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name):
        raise ConfigError(
            f"{where}: `{name[:80]}` cannot be the name of a migration",
            hint="1 to 200 letters, digits, dots, dashes and underscores",
        )
    return name


def _copy(section: Section | None, problems: Problems) -> CopySettings:
    if section is None:
        return CopySettings()
    start, assumed_utc = _start(section.text("start"), problems)
    return CopySettings(
        start=start,
        start_assumed_utc=assumed_utc,
        on_gap=_one_of(section, "on_gap", get_args(OnGap)),
        rate=_rate(section.text("rate"), problems),
        append=section.flag("append") or False,
        suspend_retention=section.flag("suspend_retention") or False,
        pipelining=_one_of(section, "pipelining", get_args(Pipelining)),
    )


def _one_of(section: Section, key: str, choices: tuple[_Word, ...]) -> _Word | None:
    given = section.choice(key, choices)
    return next((choice for choice in choices if choice == given), None)


def _start(given: Text | None, problems: Problems) -> tuple[Start | None, bool]:
    if given is None:
        return None, False
    if given.text in _STARTS:
        return _STARTS[given.text], False
    try:
        moment = parse_time(given.text, where="`copy.start`")
    except ConfigError as error:
        problems.add(
            given.line,
            error.title,
            hint="`beginning`, `end`, `unconsumed`, or a time: 2026-03-01T12:00:00Z",
        )
        return None, False
    return Since(moment.ms), moment.assumed_utc


def _rate(given: Text | None, problems: Problems) -> int | None:
    if given is None:
        return None
    with problems.at(given.line):
        return parse_rate(given.text, where="`copy.rate`")
    return None


def _ledger(section: Section | None) -> LedgerSettings:
    if section is None:
        return LedgerSettings()
    return LedgerSettings(
        slots=section.whole("slots", least=1, most=1000),
        replication=section.whole("replication", least=1, most=100),
    )
