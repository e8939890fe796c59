"""labctl preflight"""

from __future__ import annotations

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import reading, settings
from labctl.errors import ExitCode


def command(ctx: typer.Context, lab: options.Lab, as_json: options.Json = False) -> int:
    """Check the file against the host: every finding at once.

    Exit code 4 where it refuses, 5 where only images are at fault.
    """
    from labctl.ops.preflight import run
    from labctl.ops.survey import refusal
    from labctl.report.preflight import preflight_lines

    report = run(reading(settings(ctx).uri), lab)
    show(report, lambda paint: preflight_lines(report, paint), as_json=as_json)
    return refusal(report).exit_code if report.refused else ExitCode.DONE
