"""What commands on nodes printed."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.ops.results import ExecResult
from labctl.report.error import error_lines
from labctl.report.paint import Paint


def exec_lines(results: Sequence[ExecResult], paint: Paint) -> list[str]:
    """Each node's output; headed by its name when there are several."""
    return [line for result in results for line in _one(result, paint, headed=len(results) > 1)]


def _one(result: ExecResult, paint: Paint, *, headed: bool) -> list[str]:
    lines = [paint("bold", f"== {result.node}")] if headed else []
    if result.error is not None:
        return lines + error_lines(result.error, paint)
    lines += result.stdout.splitlines() + result.stderr.splitlines()
    if result.returncode:
        lines.append(paint("bad", f"{result.node}: exit code {result.returncode}"))
    return lines
