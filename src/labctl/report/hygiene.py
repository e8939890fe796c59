"""Hygiene's findings in words: the worst first, each with what it means and what mends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labctl.model.hygiene import Finding, HygieneReport, Mend, Mended, Severity
from labctl.report.paint import Cell, Paint, clean, count, table

_STYLES = {Severity.BAD: "bad", Severity.WARN: "warn", Severity.NOTE: "dim"}


def hygiene_lines(report: HygieneReport, paint: Paint) -> list[str]:
    """A table of all findings, then what each but the notes means and what mends it."""
    rows: list[list[str | Cell]] = [
        [
            Cell(finding.severity.value, _STYLES[finding.severity]),
            finding.check,
            clean(finding.subject),
            clean(finding.message),
        ]
        for finding in report.findings
    ]
    lines = [f"hygiene of {', '.join(report.uris)}"]
    if rows:
        lines += table(("", "check", "what", "found"), rows, paint, indent="  ")
    for finding in report.findings:
        if finding.severity is not Severity.NOTE:
            lines += _explained(finding, paint)
    return [*lines, _verdict(report, paint)]


def _explained(finding: Finding, paint: Paint) -> list[str]:
    lines = [
        "",
        paint("bold", f"{finding.check} {clean(finding.subject)}"),
        f"  {clean(finding.meaning)}",
    ]
    if finding.command:
        lines.append(f"  next: {clean(finding.command)}")
    if finding.mend and "hygiene --fix" not in finding.command:
        lines.append("  or:   labctl hygiene --fix")
    return lines


def _verdict(report: HygieneReport, paint: Paint) -> str:
    if report.clean:
        return paint("good", "clean")
    counted = [
        f"{number} {severity.value}"
        for severity in (Severity.BAD, Severity.WARN)
        if (number := sum(each.severity is severity for each in report.findings))
    ]
    return paint("bad", f"not clean: {', '.join(counted)}")


def plan_lines(mends: Sequence[Mend], paint: Paint) -> list[str]:
    """What `--fix` would do."""
    if not mends:
        return ["nothing that --fix may do by itself"]
    head = paint("bold", f"--fix does {count(len(mends), 'thing')}:")
    lines = [head]
    for mend in mends:
        lines.append(f"  {clean(str(mend))}")
        lines += [f"    {paint('warn', clean(mend.lost))}"] if mend.lost else []
    return lines


def mended_lines(mended: Sequence[Mended], paint: Paint) -> list[str]:
    """How each mend went."""
    lines = []
    for each in mended:
        if each.error:
            lines.append(f"{paint('bad', 'failed')}  {clean(str(each.mend))}: {clean(each.error)}")
            lines += [f"        next: {clean(each.advice)}"] if each.advice else []
        else:
            lines.append(f"{paint('good', 'done')}    {clean(str(each.mend))}: {each.words}")
    return lines


def hygiene_data(report: HygieneReport, mended: Sequence[Mended]) -> dict[str, Any]:
    """The JSON document."""
    return {
        "uris": report.uris,
        "clean": report.clean,
        "findings": report.findings,
        "mended": mended,
    }
