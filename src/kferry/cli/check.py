"""`kferry check`: one line per finding, and what to do next."""

import dataclasses

from kferry.cli import loop
from kferry.cli.console import WIDTH, answer, answer_json, say, styled, wrapped
from kferry.cli.options import Options
from kferry.config import ClusterSettings, TopicSelection
from kferry.errors import ExitCode, UsageError
from kferry.preflight import CheckRequest, Finding, Report, Severity, Side, check
from kferry.units import many

_MARKS = {
    Severity.OK: ("ok", "ok"),
    Severity.INFO: ("note", "dim"),
    Severity.WARNING: ("warn", "warning"),
    Severity.ERROR: ("FAIL", "error"),
}


def run(*, options: Options | None = None) -> ExitCode:
    """Look at both clusters before anything is done: reachability, rights, space, limits.

    Nothing is written to either side. Name one side only to look at that one.
    """
    options = options or Options()
    report, request = look(options)
    if options.json:
        answer_json(
            {"ok": report.ok, "findings": [dataclasses.asdict(one) for one in report.findings]}
        )
    else:
        show(report, request, options)
        say(_next(report, options))
    return report.exit_code


def look(options: Options) -> tuple[Report, CheckRequest]:
    """Run the check that the options ask for."""
    request = CheckRequest(
        source=options.source_settings,
        target=options.target_settings,
        selection=options.selection,
    )
    if request.source is None and request.target is None:
        raise UsageError(
            "no cluster was named",
            hint="kferry check --source HOST:PORT --target HOST:PORT, or try it on two clusters of "
            "your own with `kferry sandbox up`",
        )
    return loop.run(check(request)), request


def show(report: Report, request: CheckRequest, options: Options) -> None:
    """Show a report: one line per finding, each with its hint."""
    sides = ((Side.SOURCE, request.source), (Side.TARGET, request.target), (Side.BOTH, None))
    for side, settings in sides:
        own = [finding for finding in report.findings if finding.side is side]
        findings = _worth_showing(own, options)
        if findings:
            answer(styled(_title(side, settings), "bold"))
            for finding in findings:
                _line(finding)
            answer()
    answer(_total(report))


def _worth_showing(findings: list[Finding], options: Options) -> list[Finding]:
    """Fold the rights that are there into one line; with --quiet leave out all that is well."""
    if options.quiet:
        return [one for one in findings if one.severity in {Severity.WARNING, Severity.ERROR}]
    granted = [one for one in findings if one.code == "allowed"]
    if options.verbose or len(granted) < 2:
        return findings
    folded = dataclasses.replace(
        granted[0], subject="rights", message=f"{len(granted)} needed are there (-v lists them)"
    )
    return [folded if one is granted[0] else one for one in findings if one not in granted[1:]]


def _title(side: Side, settings: ClusterSettings | None) -> str:
    if settings is None:
        return "Both together"
    where = ",".join(map(str, settings.bootstrap))
    return f"{side.capitalize()}  {where}  {settings.protocol}"


def _line(finding: Finding) -> None:
    mark, style = _MARKS[finding.severity]
    indent = " " * 8
    first, *rest = wrapped(f"{finding.subject}: {finding.message}", indent=indent, width=WIDTH)
    answer(f"  {styled(f'{mark:<4}', style)}  {first[len(indent) :]}")
    for line in rest:
        answer(line)
    if finding.hint and finding.severity is not Severity.OK:
        for line in wrapped(f"hint: {finding.hint}", indent=indent):
            answer(styled(line, "dim"))


def _total(report: Report) -> str:
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    verdict = "Fit to migrate" if report.ok else "Not fit to migrate yet"
    passed = len(report.findings) - errors - warnings
    return f"{verdict}: {passed} fine, {many(warnings, 'warning')}, {many(errors, 'error')}."


def _next(report: Report, options: Options) -> str:
    again = options.again(topics=True)
    if not report.ok:
        return f"next: mend what FAILs, then kferry check{again}"
    if options.source_settings is None or options.target_settings is None:
        return f"next: kferry inspect topics{again}, or kferry check with both sides"
    chosen = options.selection != TopicSelection()
    return f"next: kferry copy{again}{'' if chosen else ' --topic NAME'} --until-caught-up"
