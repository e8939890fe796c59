"""What a user sees when a command ends with an error."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable

from labctl.cli.output import print_lines, say, wants_colour
from labctl.errors import ExitCode, InternalError, LabctlError, UsageError
from labctl.report.paint import Paint

_GLOBAL_OPTIONS = ("--connect", "-c", "--quiet", "-q", "--verbose", "-v")


def tell(error: Exception, *, as_json: bool) -> int:
    """Show `error` (text on stderr, or one JSON document on stdout) and return its exit code."""
    if os.environ.get("LABCTL_DEBUG"):
        traceback.print_exception(error)
    known = _as_labctl_error(error)
    if as_json:
        from labctl.report.json import dump

        print_lines([dump({"error": known})])
    else:
        from labctl.report.error import error_lines

        say(error_lines(known, Paint(wants_colour(sys.stderr))))
    return known.exit_code


def failure_of(errors: Iterable[LabctlError | None]) -> ExitCode:
    """The exit code nodes' errors amount to: 8 where all ran into a deadline, else 7; 0 if none."""
    codes = {error.exit_code for error in errors if error is not None}
    if not codes:
        return ExitCode.DONE
    return ExitCode.DEADLINE if codes == {ExitCode.DEADLINE} else ExitCode.NODES_FAILED


def _as_labctl_error(error: Exception) -> LabctlError:
    if isinstance(error, LabctlError):
        return error
    if (usage := _of_typer(error)) is not None:
        return usage
    return InternalError(
        f"a fault of labctl: {type(error).__name__}: {error}",
        details=_place(error),
        resolution="run it again with LABCTL_DEBUG=1 for the whole traceback, and report that",
    )


def _of_typer(error: Exception) -> UsageError | None:
    import typer  # not above: labctl.cli.quick does without, until something fails

    if isinstance(error, typer.Abort):
        return UsageError("nothing done: not confirmed")
    if not isinstance(error, typer.TyperException):
        return None
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "labctl"
    resolution = f"`{path} --help` lists what it takes"
    if getattr(error, "option_name", None) in _GLOBAL_OPTIONS:
        resolution = "this option stands before the command: `labctl --connect URI COMMAND LAB`"
    return UsageError(error.format_message(), resolution=resolution)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    return f"raised in {frames[-1].filename}:{frames[-1].lineno}, {frames[-1].name}"
