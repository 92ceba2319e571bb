"""`kferry init`: an annotated kferry.yaml, from clusters or another tool's set-up, or from neither.

Owns the flags, and the writing of a file that is not there yet. An existing one is never touched.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say, wrapped
from kferry.cli.init_lines import access_lines, cluster_lines, gap_lines, topic_lines
from kferry.cli.options import DEFAULT_FILE, Options
from kferry.config import (
    ClusterSettings,
    TopicSelection,
    check_migration_name,
    load_cluster,
    load_migration_file,
)
from kferry.errors import ConfigError, ExitCode, KferryError, UsageError
from kferry.migration.clusters import SameCluster
from kferry.migration.init import Seen, look
from kferry.migration.init_text import Draft, render
from kferry.migration.mm2_import import Imported, import_mm2, read_mm2
from kferry.units import many


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What is answered beside the file."""

    topics: int | None
    problems: list[str]
    decide: list[str]
    unknown: list[str]


def run(
    *,
    name: Annotated[
        str | None, Parameter(show_default=False, help="what the migration is called")
    ] = None,
    from_mm2: Annotated[
        Path | None,
        Parameter(show_default=False, help="import a MirrorMaker 2 file (mm2.properties)"),
    ] = None,
    flow: Annotated[
        str | None,
        Parameter(show_default=False, help="with --from-mm2: which of its flows, as in 'A->B'"),
    ] = None,
    sandbox: Annotated[
        str | None,
        Parameter(show_default=False, help="both clusters of this sandbox (kferry sandbox up)"),
    ] = None,
    out: Annotated[Path, Parameter(help="the file to write; it must not be there")] = DEFAULT_FILE,
    options: Options | None = None,
) -> ExitCode:
    """Write an annotated kferry.yaml from what both clusters show, or without them."""
    options = options or Options()
    if sandbox is not None:
        options = _of_sandbox(sandbox, options)
    _check_company(options, flow, from_mm2)
    _insist_on_absence(out)
    # Before anything is looked at: a bad pattern is a bad command line.
    selection = TopicSelection.parse(options.topic)
    imported = Imported()
    if from_mm2 is not None:
        imported = import_mm2(read_mm2(from_mm2), from_mm2, flow=flow)
    draft = imported.draft
    called = name or options.migration
    if called is not None:
        draft.name = check_migration_name(called, where="--name")
    _put_sides(draft, options, out)
    if options.topic:
        draft.put("topics", include=list(options.topic))
    found = _look(draft, options, selection)
    _write(out, render(draft))
    seen = found.get("source")
    told = _Told(
        topics=None if seen is None else len(seen.topics),
        problems=_problems(out),
        decide=[f"{one.key}: {one.text}" for one in imported.told if one.decide],
        unknown=[f"line {one.line}: {one.key}" for one in imported.unknown],
    )
    if options.json:
        answer_json(
            {
                "file": str(out),
                "name": draft.name,
                "topics": told.topics,
                "problems": told.problems,
                "decide": told.decide,
                "not_understood": told.unknown,
            }
        )
    else:
        _show(out, told)
    say(_next(out, draft, told.problems))
    return ExitCode.DONE


def _of_sandbox(name: str, options: Options) -> Options:
    """Name both clusters of a sandbox, as a user with no more rights than kferry needs."""
    if any((options.source, options.target, options.source_config, options.target_config)):
        raise UsageError(
            "--sandbox names both clusters already", hint=f"kferry init --sandbox {name}"
        )
    from kferry.sandbox import Sandbox, Security  # noqa: PLC0415  # it is here for this alone

    found = Sandbox.find(name)
    sides: dict[str, Any] = {}
    for side, cluster in (("source", found.source), ("target", found.target)):
        if cluster.layout.spec.security is Security.PLAINTEXT:
            sides[side] = cluster.bootstrap
        else:
            sides[f"{side}_config"] = cluster.kferry_properties
    return replace(options, **sides)


def _check_company(options: Options, flow: str | None, from_mm2: Path | None) -> None:
    if options.config is not None:
        raise UsageError(
            "init writes a migration file, and reads none",
            hint=f"kferry init --out {shlex.quote(str(options.config))}",
        )
    if flow is not None and from_mm2 is None:
        raise UsageError(
            "--flow goes with --from-mm2 alone", hint="kferry init --from-mm2 mm2.properties"
        )


def _insist_on_absence(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise UsageError(
            f"{out} is there already, and is left as it is",
            hint="write another with --out FILE, or move this one away",
        )


def _put_sides(draft: Draft, options: Options, out: Path) -> None:
    for side in ("source", "target"):
        bootstrap: str | None = getattr(options, side)
        properties: Path | None = getattr(options, f"{side}_config")
        if properties is not None:
            draft.sections[side] = {"properties": _from(out, properties)}
        if bootstrap is not None:
            draft.put(side, bootstrap=[one for one in bootstrap.split(",") if one.strip()])


def _from(out: Path, path: Path) -> str:
    """Name a path as the new file must: paths in it are relative to where it lies."""
    absolute, folder = path.expanduser().absolute(), out.absolute().parent
    return str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute)


def _look(draft: Draft, options: Options, selection: TopicSelection) -> dict[str, Seen]:
    """Look at the clusters that the command line names, and put what they show into the draft."""
    named = {
        "source": (options.source, options.source_config),
        "target": (options.target, options.target_config),
    }
    settings = {
        side: load_cluster(bootstrap, properties, side=side)
        for side, (bootstrap, properties) in named.items()
        if bootstrap is not None or properties is not None
    }
    found: dict[str, Seen] = {}
    for side, one in settings.items():
        seen = _seen(side, one, selection)
        if seen is not None:
            found[side] = seen
            draft.remark(side, *cluster_lines(seen))
    _insist_on_two(found)
    if (source := found.get("source")) is not None:
        draft.remark("topics", *topic_lines(source))
        draft.remark("access", *access_lines(source))
    return found


def _seen(side: str, settings: ClusterSettings, selection: TopicSelection) -> Seen | None:
    try:
        seen = loop.run(look(settings, selection))
    except KferryError as error:
        say(f"the {side} could not be looked at: {error.title}; the file is written without it")
        return None
    for line in gap_lines(seen):
        say(f"{side}: {line}")
    return seen


def _insist_on_two(found: dict[str, Seen]) -> None:
    ids = [seen.cluster_id for seen in found.values() if seen.cluster_id is not None]
    if len(ids) == 2 and ids[0] == ids[1]:
        raise SameCluster(
            "source and target are the same cluster",
            f"both answer as {ids[0]}",
            hint="name two different clusters with --source and --target",
        )


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _insist_on_absence(out)
        raise
    except OSError as error:
        raise UsageError(
            f"cannot write {out}: {error.strerror}", hint="name another place with --out"
        ) from None


def _problems(out: Path) -> list[str]:
    """Read the file as every other command will, and tell what it still lacks."""
    try:
        load_migration_file(out)
    except ConfigError as error:
        return error.detail.splitlines() or [error.title]
    return []


def _show(out: Path, told: _Told) -> None:
    answer(f"{out} is written.")
    for title, lines in (
        ("to be mended before it can be used", told.problems),
        ("to be looked at", told.decide),
        ("not understood", told.unknown),
    ):
        if lines:
            answer(f"{many(len(lines), 'thing')} {title}:")
            for line in lines:
                for part in wrapped(line, indent="  "):
                    answer(part)


def _next(out: Path, draft: Draft, problems: Sequence[str]) -> str:
    again = "" if out == DEFAULT_FILE else f" -c {shlex.quote(str(out))}"
    lacking = [side for side in ("source", "target") if not draft.sections.get(side)]
    if lacking:
        return f"next: fill in {' and '.join(lacking)}, then `kferry check{again}`"
    if problems:
        return f"next: mend {out}, then `kferry check{again}`"
    return f"next: read it, then `kferry check{again}`"
