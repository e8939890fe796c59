"""Preflight's findings as a table: refusals first, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

from labctl.model.finding import Finding, PreflightReport, Severity
from labctl.report.paint import Paint, clean, count

_ORDER = (Severity.REFUSE, Severity.WARN, Severity.NOTE, Severity.OK)
_STYLES = {
    Severity.REFUSE: "bad",
    Severity.WARN: "warn",
    Severity.NOTE: "bold",
    Severity.OK: "good",
}


def finding_lines(findings: Iterable[Finding], paint: Paint) -> list[str]:
    """A line per finding, `severity  check  message`, with the remedy below it."""
    ranked = sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
    width = max((len(finding.check) for finding in ranked), default=0)
    lines = []
    for finding in ranked:
        mark = paint(_STYLES[finding.severity], finding.severity.value.ljust(6))
        lines.append(f"  {mark}  {finding.check.ljust(width)}  {clean(finding.message)}")
        if finding.resolution and finding.severity is not Severity.OK:
            lines.append(f"  {'':6}  {'':{width}}  next: {clean(finding.resolution)}")
    return lines


def preflight_lines(report: PreflightReport, paint: Paint) -> list[str]:
    """The whole report and its verdict."""
    verdict = (
        paint("bad", f"refused: {count(len(report.refusals), 'finding')} to mend first")
        if report.refused
        else paint("good", "passed") + f": `labctl up` would run it with {report.virt_type}"
    )
    return [
        f"preflight of {report.lab} on {report.uri}",
        *finding_lines(report.findings, paint),
        verdict,
    ]
