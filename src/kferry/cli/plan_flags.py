"""The flags of `kferry plan` and `kferry apply`, and the request they make with the migration file.

Owns their meaning, and how they are kept in a plan's file. Asks no cluster.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from kferry.cli.options import Options
from kferry.config import ClusterSettings, check_rename
from kferry.config.plan_settings import AccessWishes, TopicWishes, parse_replication
from kferry.errors import UsageError
from kferry.names import TopicName

if TYPE_CHECKING:
    from kferry.migration.planning import PlanRequest

_TOPICS = Group("What topics shall be", sort_key=10)
_ACCESS = Group("What access shall be", sort_key=11)


@Parameter(name="*", show_default=False)
@dataclass(frozen=True, kw_only=True)
class PlanFlags:
    """What `plan` and `apply` understand beside the global options. None, False: nothing said."""

    map: Annotated[
        tuple[str, ...],
        Parameter(
            group=_TOPICS, negative=(), help="OLD=NEW: another name on the target; repeatable"
        ),
    ] = ()
    replication: Annotated[
        str | None,
        Parameter(group=_TOPICS, help="source (the default), default (the target's), or a number"),
    ] = None
    exclude_config: Annotated[
        tuple[str, ...],
        Parameter(
            group=_TOPICS,
            negative=(),
            help="a setting of topics to leave out; a glob or /regular expression/; repeatable",
        ),
    ] = ()
    mm2_excludes: Annotated[
        bool,
        Parameter(
            group=_TOPICS, negative=(), help="leave out the settings that MirrorMaker 2 leaves out"
        ),
    ] = False
    clamp: Annotated[
        bool,
        Parameter(
            group=_TOPICS,
            negative=(),
            help="bring values that the target does not allow to the nearest that it does",
        ),
    ] = False
    secrets_file: Annotated[
        Path | None, Parameter(group=_ACCESS, help="passwords of users: a line alice=… for each")
    ] = None
    generate_passwords: Annotated[
        bool,
        Parameter(
            group=_ACCESS, negative=(), help="make up those that are not in the secrets file"
        ),
    ] = False
    hold_back_writes: Annotated[
        bool,
        Parameter(group=_ACCESS, negative=(), help="rules that allow writing wait for the cutover"),
    ] = False

    def as_json(self) -> dict[str, Any]:
        """Keep them in a plan's file."""
        told: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in (None, False, ()):
                told[field.name] = _kept(value)
        return told

    @property
    def again(self) -> str:
        """Return what must follow a next plan or apply so that it means the same."""
        words: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            flag = f"--{field.name.replace('_', '-')}"
            if value is True:
                words.append(flag)
            elif value not in (None, False, ()):
                for one in value if isinstance(value, tuple) else (value,):
                    words += [flag, str(one)]
        return "".join(f" {shlex.quote(word)}" for word in words)

    @property
    def names_again(self) -> str:
        """Return what must follow a copy, which knows the new names alone."""
        return PlanFlags(map=self.map).again


def _kept(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def flags_from(told: Mapping[str, Any]) -> PlanFlags:
    """Read them from a plan's file, which anybody may have edited."""
    texts = {name: _texts(told, name) for name in ("map", "exclude_config")}
    words = {name: _text(told, name) for name in ("replication", "secrets_file")}
    switches = ("mm2_excludes", "clamp", "generate_passwords", "hold_back_writes")
    for name in switches:
        if type(told.get(name, False)) is not bool:
            raise ValueError(f"`asked.{name}` is not true or false")
    file = words["secrets_file"]
    return PlanFlags(
        map=texts["map"],
        exclude_config=texts["exclude_config"],
        replication=words["replication"],
        secrets_file=None if file is None else Path(file),
        mm2_excludes=told.get("mm2_excludes", False),
        clamp=told.get("clamp", False),
        generate_passwords=told.get("generate_passwords", False),
        hold_back_writes=told.get("hold_back_writes", False),
    )


def topics_from(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Read which topics a plan's file was asked for."""
    return _texts(told, "topics")


def _text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"`asked.{name}` is not a text")
    return value


def _texts(told: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = told.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"`asked.{name}` is not a list of texts")
    return tuple(value)


def plan_request(options: Options, flags: PlanFlags) -> "PlanRequest":
    """Put together what is asked for."""
    file = options.file
    source, target = both_sides(options, "plan")
    # Imported here: it brings both rooms, which a wrong command line does not need.
    from kferry.migration.planning import PlanRequest  # noqa: PLC0415

    request = PlanRequest(
        source=source,
        target=target,
        migration=options.migration_name,
        selection=options.selection,
        mapping=_mapping(flags.map),
        topics=_topics(TopicWishes() if file is None else file.topic_wishes, flags),
        access=_access(AccessWishes() if file is None else file.access_wishes, flags),
        asked={"topics": list(options.topic), **flags.as_json()},
    )
    if file is None:
        return request
    return replace(
        request,
        mapping=file.rename | request.mapping,
        suspend_retention=file.copy.suspend_retention,
        slots=file.ledger.slots or request.slots,
        replication=file.ledger.replication,
        rate=file.copy.rate,
    )


def both_sides(options: Options, command: str) -> tuple[ClusterSettings, ClusterSettings]:
    """Return the settings of both clusters."""
    source, target = options.source_settings, options.target_settings
    if source is None or target is None:
        missing = "source" if source is None else "target"
        neither = source is None and target is None
        raise UsageError(
            "no cluster was named" if neither else f"no {missing} was named",
            hint=f"kferry {command} --source HOST:PORT --target HOST:PORT, or a migration file "
            "with -c",
        )
    return source, target


def _topics(wishes: TopicWishes, flags: PlanFlags) -> TopicWishes:
    wished = wishes.with_flags(
        exclude_configs=flags.exclude_config,
        mm2_excludes=flags.mm2_excludes,
        clamp=flags.clamp,
    )
    if flags.replication is None:
        return wished
    # Set here: what is said may be "as the source has it", whatever the file says.
    return replace(wished, replication=parse_replication(flags.replication, where="--replication"))


def _access(wishes: AccessWishes, flags: PlanFlags) -> AccessWishes:
    return wishes.with_flags(
        secrets_file=flags.secrets_file,
        generate_passwords=flags.generate_passwords,
        hold_back_writes=flags.hold_back_writes,
    )


def _mapping(pairs: Sequence[str]) -> dict[TopicName, TopicName]:
    mapping: dict[TopicName, TopicName] = {}
    for pair in pairs:
        left, sign, right = pair.partition("=")
        if not sign:
            raise UsageError(f"--map {pair} is not a pair", hint="write --map OLD=NEW")
        old, new = check_rename(left, right)
        if mapping.get(old, new) != new:
            raise UsageError(f"--map gives `{old}` two names", hint="a topic goes to one place")
        mapping[old] = new
    return mapping
