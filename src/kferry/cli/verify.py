"""`kferry verify`: is on the target what was on the source?

Owns its flags, its subcommand and the exit code. What is compared is decided in `migration`.
"""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.stopping import StoppedNow, stoppable
from kferry.cli.verify_lines import progress_line, report_lines, verdict_lines
from kferry.config import parse_rate
from kferry.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from kferry.migration.verify_values import VerifyProgress, VerifyRequest, VerifyResult

Level = Literal["counts", "digest", "records"]

app = App(name="verify", help_formatter="plain")


@app.default
def run(
    *,
    level: Annotated[
        Level,
        Parameter(
            help="digest: batches by their bytes, and by records where those are not the same; "
            "records: every record by itself; counts: by offsets alone, without reading any"
        ),
    ] = "digest",
    both: Annotated[
        bool,
        Parameter(
            negative=(),
            show_default=False,
            help="read the source again, too, where digests were taken while copying",
        ),
    ] = False,
    rate: Annotated[
        str | None,
        Parameter(show_default=False, help="read at most so many bytes, as in 50MiB/s"),
    ] = None,
    max_duration: Annotated[
        str | None,
        Parameter(
            show_default=False,
            help="stop after this time, as in 90s, 30m or 2h; with --report the next run goes on",
        ),
    ] = None,
    follow: Annotated[
        bool,
        Parameter(negative=(), show_default=False, help="go on behind the copy until Ctrl-C"),
    ] = False,
    report: Annotated[
        Path | None,
        Parameter(
            show_default=False,
            help="keep the answer in this file; a run that was stopped goes on from it",
        ),
    ] = None,
    producers_moved: Annotated[
        bool,
        Parameter(
            negative=(),
            show_default=False,
            help="others write to the target already: their records are no difference",
        ),
    ] = False,
    options: Options | None = None,
) -> ExitCode:
    """Compare both sides and count: the same, different, missing, too many."""
    options = options or Options()
    target, source = target_of(options, "verify"), options.source_settings
    if source is None:
        raise UsageError(
            "no source was named, and the records are compared with it",
            hint="kferry verify --source HOST:PORT --target HOST:PORT, or -c FILE",
        )
    if follow and level == "counts":
        raise UsageError(
            "--follow needs records to compare",
            hint="leave out --level counts, or look again with kferry verify --level counts",
        )
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.verify_values import VerifyRequest  # noqa: PLC0415

    request = VerifyRequest(
        source=source,
        target=target,
        migration=options.migration_name,
        selection=options.selection,
        level=level,
        both=both,
        rate=None if rate is None else parse_rate(rate, where="--rate"),
        max_seconds=None if max_duration is None else _seconds(max_duration),
        follow=follow,
        producers_moved=producers_moved,
        report=report,
    )
    try:
        result = loop.run(_watched(request, options))
    except StoppedNow:
        say("stopped now; nothing was written to either side")
        return ExitCode.STOPPED_EARLY
    _answer(result, options)
    say(_next(result, options, "" if report is None else f" --report {shlex.quote(str(report))}"))
    return result.exit_code


@app.command
def show(
    file: Annotated[Path, Parameter(help="what --report wrote")],
    /,
    *,
    options: Options | None = None,
) -> ExitCode:
    """Show a report that `--report` wrote, if nobody changed it since.

    Asks no cluster. Exit codes: 0 the same, 1 a partition could not be compared, 2 it is no report,
    4 it tells of differences, 7 it is of a run that was stopped.
    """
    options = options or Options()
    from kferry.migration.verify_report import read_report  # noqa: PLC0415 as above

    result = read_report(file)
    if options.json:
        _answer(result, options)
    else:
        for line in report_lines(result):
            answer(line)
    return result.exit_code


async def _watched(request: "VerifyRequest", options: Options) -> "VerifyResult":
    from kferry.migration.verify import verify  # noqa: PLC0415 as above

    watch = _Watch(options)
    return await stoppable(lambda stop: verify(request, watch=watch, stop=stop), say=say)


class _Watch:
    """Tells people how far it is."""

    def __init__(self, options: Options) -> None:
        self._quiet = options.quiet

    def narrate(self, line: str) -> None:
        """Tell one sentence."""
        if not self._quiet:
            say(line)

    def verified(self, progress: "VerifyProgress", /) -> None:
        """Show how far it is."""
        if not self._quiet:
            say(progress_line(progress))


def _answer(result: "VerifyResult", options: Options) -> None:
    from kferry.migration.verify_report import to_json  # noqa: PLC0415 as above

    if options.json:
        answer_json(to_json(result))
    else:
        for line in verdict_lines(result):
            answer(line)


def _next(result: "VerifyResult", options: Options, report: str) -> str:
    again = options.again(topics=True)
    if result.exit_code is ExitCode.STOPPED_EARLY:
        if report:
            return f"next: kferry verify{again}{report}  (goes on where it stopped)"
        return f"next: kferry verify{again} --report FILE can be stopped and goes on"
    if result.exit_code is ExitCode.DIFFERENCES:
        return "next: kferry messages query --help (shows the records at these offsets)"
    if result.exit_code is ExitCode.FAILED:
        return f"next: kferry status{options.again()}"
    if any(one.not_copied for one in result.partitions):
        return f"next: kferry copy{again} copies the rest"
    return f"next: kferry groups show{options.again()}"


_DURATION = re.compile(r"([0-9]{1,9})\s*(s|m|min|h|d)?")
_UNITS = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise UsageError(f"--max-duration: `{text}` is not a time", hint="write 90s, 30m, 2h or 1d")
    return float(int(match[1]) * _UNITS[match[2]])
