"""`kferry verify`: is on the target what was on the source?

Owns its flags and the exit code. What is compared and how is decided in `migration`.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.stopping import StoppedNow, stoppable
from kferry.cli.verify_lines import progress_line, verdict_json, verdict_lines
from kferry.config import parse_rate
from kferry.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from kferry.migration.verify import VerifyProgress, VerifyRequest, VerifyResult

Level = Literal["counts", "digest", "records"]


def run(
    *,
    level: Annotated[
        Level,
        Parameter(
            help="digest: batches by their bytes where they are the same; records: every record is "
            "looked at; counts: by offsets alone",
        ),
    ] = "digest",
    both: Annotated[
        bool, Parameter(negative=(), show_default=False, help="read both sides again")
    ] = False,
    rate: Annotated[
        str | None,
        Parameter(show_default=False, help="read at most so many bytes, as in 50MiB/s"),
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
    """Compare both sides and count: the same, different, missing, too many.

    Nothing is written. Ctrl-C stops.
    """
    options = options or Options()
    target, source = target_of(options, "verify"), options.source_settings
    if source is None:
        raise UsageError(
            "no source was named, and the records are compared with it",
            hint="kferry verify --source HOST:PORT --target HOST:PORT, or -c FILE",
        )
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.verify import VerifyRequest  # noqa: PLC0415

    request = VerifyRequest(
        source=source,
        target=target,
        migration=options.migration_name,
        selection=options.selection,
        level=level,
        both=both,
        rate=None if rate is None else parse_rate(rate, where="--rate"),
        producers_moved=producers_moved,
    )
    try:
        result = loop.run(_watched(request, options))
    except StoppedNow:
        say("stopped now; nothing was changed")
        return ExitCode.STOPPED_EARLY
    if options.json:
        answer_json(verdict_json(result))
    else:
        for line in verdict_lines(result):
            answer(line)
    say(_next(result, options))
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


def _next(result: "VerifyResult", options: Options) -> str:
    again = options.again(topics=True)
    match result.exit_code:
        case ExitCode.STOPPED_EARLY:
            return f"next: kferry verify{again}"
        case ExitCode.DIFFERENCES:
            return f"next: kferry verify --level records{again} names what differs"
        case ExitCode.FAILED:
            return f"next: kferry status{options.again()}"
    if any(one.not_copied for one in result.partitions):
        return f"next: kferry copy{again} copies the rest"
    return f"next: kferry groups show{options.again()}"
