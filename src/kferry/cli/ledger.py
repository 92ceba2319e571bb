"""`kferry ledger show` and `kferry ledger export`: what a migration remembers of itself.

Owns how its documents are listed. Writes nothing to any cluster.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import moment
from kferry.errors import ExitCode, UsageError
from kferry.units import many

if TYPE_CHECKING:
    from kferry.config import ClusterSettings


def show(*, options: Options | None = None) -> ExitCode:
    """List the documents that a migration keeps on the target.

    With --json each document is a line, as in the file that `kferry ledger export` writes.
    """
    options = options or Options()
    migration, lines = loop.run(_read(target_of(options, "ledger show"), options))
    if options.json:
        for line in lines:
            answer_json(line)
    else:
        answer(f"{visible(migration)}: {many(len(lines), 'document')}")
        rows = [
            Row(cells=[str(line["key"]), str(line["slot"]), str(line["offset"]), _at(line)])
            for line in sorted(lines, key=lambda one: str(one["key"]))
        ]
        for shown in table(
            [text("document"), number("slot"), number("offset"), text("written")], rows
        ):
            answer(shown)
    say(f"next: kferry ledger export FILE{options.again()}")
    return ExitCode.DONE


def export(
    file: Annotated[Path, Parameter(help="where to; a file that is there is not written over")],
    /,
    *,
    options: Options | None = None,
) -> ExitCode:
    """Write a migration's documents to a file, one JSON object a line."""
    options = options or Options()
    target = target_of(options, "ledger export")
    if file.exists():
        raise UsageError(f"{file} is there already", hint="name another file")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"there is no directory {file.absolute().parent}", hint="make it first")
    migration, count = loop.run(_export(target, options, file))
    if options.json:
        answer_json({"migration": migration, "file": str(file), "documents": count})
    else:
        answer(f"{visible(migration)}: {many(count, 'document')} in {file}")
    say(f"next: kferry status{options.again()}")
    return ExitCode.DONE


def _at(line: dict[str, object]) -> str:
    at = line["timestamp"]
    return moment(at) if isinstance(at, int) else ""


async def _read(target: "ClusterSettings", options: Options) -> tuple[str, list[dict[str, object]]]:
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.ledger import export_lines, read_ledger  # noqa: PLC0415
    from kferry.migration.status import find  # noqa: PLC0415
    from kferry.wire import open_cluster  # noqa: PLC0415

    async with open_cluster(target) as cluster:
        ledger = await find(
            cluster, migration=options.migration_name, source=options.source_settings
        )
        return ledger.migration, list(export_lines(await read_ledger(cluster, ledger)))


async def _export(target: "ClusterSettings", options: Options, file: Path) -> tuple[str, int]:
    from kferry.migration.cancelling import export as write  # noqa: PLC0415 as above
    from kferry.migration.status import find  # noqa: PLC0415
    from kferry.wire import open_cluster  # noqa: PLC0415

    async with open_cluster(target) as cluster:
        ledger = await find(
            cluster, migration=options.migration_name, source=options.source_settings
        )
        return ledger.migration, await write(cluster, ledger, file)
