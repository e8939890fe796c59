"""An error as a user reads it: what happened, why, what to do next, what led to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labctl.errors import LabctlError, PreflightRefused, TopologyError
from labctl.model.finding import Severity
from labctl.report.paint import Paint, clean
from labctl.report.preflight import finding_lines


def error_lines(error: LabctlError, paint: Paint) -> list[str]:
    """The whole error. A TopologyError is one line per problem, fit for an editor to jump to."""
    lines = [f"{paint('bad', 'labctl:')} {clean(error.brief)}", *_details(error, paint)]
    lines += [f"  because: {line}" for line in _causes(error)]
    lines += [f"{paint('bold', 'next:')} {clean(line)}" for line in error.resolution.splitlines()]
    return lines


def _details(error: LabctlError, paint: Paint) -> list[str]:
    if isinstance(error, TopologyError):
        return [clean(str(problem)) for problem in error.problems]
    if isinstance(error, PreflightRefused):
        wrong = [f for f in error.report.findings if f.severity is not Severity.OK]
        return finding_lines(wrong, paint)
    told = [line for line in error.details.splitlines() if not _is_told(error.brief, line)]
    return [f"  {clean(line)}" for line in told]


def _is_told(brief: str, line: str) -> bool:
    """Whether the brief has the whole line already; a lone word there may be another's name."""
    line = line.strip()
    if " " not in line and "/" not in line:
        return False
    return re.search(rf"(?<![\w/.-]){re.escape(line)}(?![\w/-])", brief) is not None


def _causes(error: LabctlError) -> Iterator[str]:
    """What led to it, but for what the brief ends with in the same words."""
    for cause in error.causes:
        if error.brief.endswith(f": {cause}"):
            continue
        yield clean(str(cause))
        if isinstance(cause, LabctlError):
            yield from (f"  {clean(line)}" for line in cause.details.splitlines())
