"""A MirrorMaker 2 set-up as the draft of a kferry.yaml, and all that has no counterpart in it.

Owns what a flow between two clusters means, with MirrorMaker 2's own defaults. Every key that leads
to nothing is told with its line; values that are secret are neither copied nor shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kferry.config import TopicSelection
from kferry.config.properties import Entry, parse_properties
from kferry.errors import ConfigError
from kferry.migration.init_text import Draft
from kferry.migration.mm2_import_file import Flow, Mm2File, is_true
from kferry.migration.mm2_import_keys import reason_for
from kferry.migration.mm2_import_patterns import listed, translate
from kferry.migration.mm2_import_security import NOT_NEEDED, TAKEN, Origin, Told, cluster_section
from kferry.names import TopicName

_PREFIXES = "org.apache.kafka.connect.mirror.DefaultReplicationPolicy"
_KEEPS_NAMES = frozenset(
    {
        "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        "io.strimzi.kafka.connect.mirror.IdentityReplicationPolicy",
    }
)
_ITS_OWN_TOPICS = ("mm2*.internal", "*.checkpoints.internal", "*.replica", "heartbeats")
_OUR_BUSINESS = frozenset({"enabled", "bootstrap.servers", "clusters"})
_ENTRANCE = frozenset({"bootstrap.servers", *TAKEN})
_FILTERS = {
    "topic.filter.class": "DefaultTopicFilter",
    "group.filter.class": "DefaultGroupFilter",
    "config.property.filter.class": "DefaultConfigPropertyFilter",
}


@dataclass(slots=True, kw_only=True)
class Imported:
    """What became of a file."""

    draft: Draft = field(default_factory=Draft)
    told: list[Told] = field(default_factory=list)
    """What somebody must decide, and what needs no counterpart."""
    unknown: list[Told] = field(default_factory=list)
    """What was not understood."""


def read_mm2(path: Path) -> Mapping[str, Entry]:
    """Read the file."""
    try:
        return parse_properties(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"cannot read {path}: {reason}", hint="check --from-mm2") from None


def import_mm2(entries: Mapping[str, Entry], path: Path, *, flow: str | None = None) -> Imported:
    """Make a draft of one flow; without `flow`, of the only one that is enabled."""
    file = Mm2File(entries, name=path.name)
    return _Import(file, file.choose(flow), Origin.of(path, entries)).run()


class _Import:
    def __init__(self, file: Mm2File, flow: Flow, origin: Origin) -> None:
        self._file = file
        self._flow = flow
        self._origin = origin
        self._result = Imported()
        self._draft = self._result.draft
        self._policy_class = self._value("replication.policy.class") or _PREFIXES
        self._separator = self._value("replication.policy.separator") or "."

    def run(self) -> Imported:
        self._draft.name = self._flow.migration
        self._draft.head.append(f"Imported from {self._file.name}, flow {self._flow}.")
        for side, alias in (("source", self._flow.source), ("target", self._flow.target)):
            given = self._file.of_cluster(alias, _lets_in)
            values = cluster_section(alias, given, self._origin, self._result.told.append)
            self._draft.sections[side] = values
            self._draft.remark(side, f"In MirrorMaker 2 it is called {alias}.")
        self._topics()
        self._policy()
        self._topic_configs()
        self._access()
        self._groups()
        self._copy()
        self._rest()
        self._result.told.sort(key=lambda one: one.line)
        self._draft.tail += _report(self._result, self._file.name)
        return self._result

    def _tell(self, key: str, text: str, *, decide: bool = True) -> None:
        """Say something about a key, at its line if it is there."""
        written, entry = self._file.find(self._flow, key) or (key, Entry("", 0))
        self._result.told.append(Told(line=entry.line, key=written, text=text, decide=decide))

    def _value(self, *keys: str) -> str | None:
        """Return what a flow has set for a key, or for its older name."""
        found = [one for key in keys if (one := self._file.find(self._flow, key)) is not None]
        if not found:
            return None
        value = found[0][1].value.strip()
        if "${" in value:
            self._tell(keys[0], "refers to a value elsewhere, which was not read")
            return None
        return value

    def _patterns(self, *keys: str) -> list[str] | None:
        value = self._value(*keys)
        if value is None:
            return None
        found = translate(value)
        for part in found.not_understood:
            self._tell(keys[0], f"the expression {part[:80]} means nothing, or another thing, here")
        return list(found.patterns)

    def _topics(self) -> None:
        include = self._patterns("topics", "topics.whitelist")
        exclude = self._patterns("topics.exclude", "topics.blacklist")
        if exclude is None:
            exclude = list(_ITS_OWN_TOPICS)
            self._draft.remark(
                "topics",
                "MirrorMaker 2 leaves out topics of its own, and names that end in .replica. Before"
                " Kafka 4.0 it left out every name that ends in -internal or .internal, too.",
            )
        if self._policy_class == _PREFIXES:
            # What the target has sent to the source is not sent back.
            exclude.append(f"{self._flow.target}{self._separator}*")
        include = [] if include is None or "*" in include else include
        wanted = TopicSelection.parse(include, exclude=exclude)
        lost = [
            one
            for one in include
            if one in wanted.exact and not wanted.matches(TopicName(one), internal=False)
        ]
        for one in lost:
            self._tell("topics", f"{one} is excluded, too, so it was never copied", decide=False)
        kept = [one for one in include if one not in lost]
        if include and not kept:
            self._tell("topics", "nothing is left of it: as the file is now, it means all topics")
        if kept:
            self._draft.put("topics", include=kept)
        self._draft.put("topics", exclude=exclude)

    def _policy(self) -> None:
        if self._policy_class == _PREFIXES:
            self._draft.put("topics", rename={"*": f"{self._flow.source}{self._separator}*"})
            self._draft.remark(
                "topics",
                "MirrorMaker 2 prefixes names (DefaultReplicationPolicy). Without `rename` topics "
                "keep theirs, and applications need not know that they have moved.",
            )
        elif self._policy_class not in _KEEPS_NAMES:
            self._tell(
                "replication.policy.class",
                "code of your own names the topics on the target; here they keep their names "
                "until `topics.rename` says otherwise",
            )

    def _topic_configs(self) -> None:
        excluded = self._patterns("config.properties.exclude", "config.properties.blacklist")
        if excluded is None:
            self._draft.put("topics", mm2_excludes=True)
        else:
            self._draft.put("topics", exclude_configs=excluded)
        synced = self._value("sync.topic.configs.enabled")
        if synced is not None and is_true(synced):
            self._draft.put("topics", change=["*"])
        elif synced is None:
            self._draft.remark(
                "topics",
                "MirrorMaker 2 also changes configs of topics that exist on the target already; "
                "here only `change` does.",
            )
        replicas = self._value("replication.factor")
        if replicas is None:
            self._draft.remark(
                "topics",
                "MirrorMaker 2 would create topics with 2 replicas, here they get as many as on "
                "the source.",
            )
        elif replicas == "-1":
            self._draft.put("topics", replication="default")
        elif replicas.isascii() and replicas.isdigit() and 1 <= int(replicas[:4]) <= 100:
            self._draft.put("topics", replication=int(replicas))
        else:
            self._tell("replication.factor", "is no number of replicas")

    def _access(self) -> None:
        synced = self._value("sync.topic.acls.enabled")
        on = synced is None or is_true(synced)
        self._draft.put("access", acls=on)
        if on:
            self._draft.put("access", hold_back_writes=True)
            self._draft.remark(
                "access",
                "MirrorMaker 2 carries only rules about topics, and makes READ of what is more. "
                "kferry carries all rules whole; those that let others write wait until cutover, "
                "as you have it now.",
            )

    def _groups(self) -> None:
        synced = self._value("sync.group.offsets.enabled")
        meant = self._value("groups", "groups.whitelist")
        but = self._value("groups.exclude", "groups.blacklist")
        lines = [
            *([f"only of {', '.join(listed(meant))}"] if meant is not None else []),
            *([f"not of {', '.join(listed(but))}"] if but is not None else []),
        ]
        if synced is not None and is_true(synced):
            self._tell(
                "sync.group.offsets.enabled",
                "MirrorMaker 2 writes positions of groups to the target all the time"
                f"{': ' if lines else ''}{', '.join(lines)}; stop it before anybody else does",
            )
        elif lines:
            key = "groups" if meant is not None else "groups.exclude"
            text = f"positions of groups were translated {', '.join(lines)}; no key here says which"
            self._tell(key, text)

    def _copy(self) -> None:
        starts = self._file.client_values(self._flow, "consumer.auto.offset.reset")
        if any(one.value.strip() == "latest" for one in starts):
            self._draft.put("copy", start="end")
        self._draft.remark(
            "copy",
            "What MirrorMaker 2 has copied already is not taken over: a target topic that holds "
            "records is refused unless `append` is set or the topic gets another name.",
        )

    def _rest(self) -> None:
        others: dict[str, list[int]] = {}
        for one in self._file.left(self._flow):
            if one.elsewhere:
                if one.key not in _OUR_BUSINESS:
                    others.setdefault(one.elsewhere, []).append(one.entry.line)
                continue
            if one.key in _OUR_BUSINESS or _is_default_filter(one.key, one.entry):
                continue
            reason = reason_for(one.key)
            line = one.entry.line
            if reason is None:
                told = Told(line=line, key=one.written, text="was not understood")
                self._result.unknown.append(told)
            else:
                told = Told(line=line, key=one.written, text=reason.text, decide=reason.decide)
                self._result.told.append(told)
        for other in self._file.flows:
            if other != self._flow:
                others.setdefault(str(other), [0])
        for where, lines in others.items():
            text = "is a migration of its own" if "->" in where else "is a cluster of another flow"
            told = Told(line=max(lines[0], 0), key=where, text=text, decide=False)
            self._result.told.append(told)


def _lets_in(key: str) -> bool:
    """Whether a client's key is about reaching and entering a cluster."""
    return key in _ENTRANCE or NOT_NEEDED.fullmatch(key) is not None


def _is_default_filter(key: str, entry: Entry) -> bool:
    return key in _FILTERS and entry.value.strip().rpartition(".")[2] == _FILTERS[key]


def _report(result: Imported, name: str) -> list[str]:
    """Put all that was told at the end of the file, by what it asks of people."""
    decide = [_line(one) for one in result.told if one.decide]
    unknown = [f"line {one.line}: {one.key}" for one in result.unknown]
    needless: dict[str, list[str]] = {}
    for one in result.told:
        if not one.decide:
            where = one.key if one.line == 0 else f"{one.key} (line {one.line})"
            needless.setdefault(one.text, []).append(where)
    lines: list[str] = []
    for title, group in (
        (f"Of {name}, to be looked at:", decide),
        (f"Of {name}, not understood:", unknown),
    ):
        lines += [title, *(f"  {one}" for one in group)] if group else []
    if needless:
        lines.append(f"Of {name}, without a counterpart, which needs none:")
        for text, keys in needless.items():
            lines += [f"  {text}:", *(f"    {key}" for key in keys)]
    return lines


def _line(one: Told) -> str:
    where = f"line {one.line}: " if one.line else ""
    return f"{where}{one.key}: {one.text}"
