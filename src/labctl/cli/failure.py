"""What a user sees when a command ends with an error."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from labctl.cli.output import print_lines, say, wants_colour
from labctl.errors import ExitCode, InternalError, Interrupted, LabctlError, UsageError
from labctl.model.paths import default_home
from labctl.report.paint import Paint

_UNUSABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
_CONNECT = ("--connect", "-c")
_GLOBAL_OPTIONS = (*_CONNECT, "--quiet", "-q", "--verbose", "-v")


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
    if (usage := _of_typer(error) or _of_home(error)) is not None:
        return usage
    return InternalError(
        f"a fault of labctl: {type(error).__name__}: {error}",
        details=_place(error),
        resolution="run it again with LABCTL_DEBUG=1 for the whole traceback, and report that",
    )


def _of_typer(error: Exception) -> LabctlError | None:
    import typer  # not above: labctl.cli.quick does without, until something fails

    if isinstance(error, typer.Abort):
        # typer makes one error of Ctrl-C, of the end of input and of a no.
        if isinstance(error.__context__, KeyboardInterrupt):
            return Interrupted("interrupted before anything was changed")
        return UsageError("nothing done: not confirmed")
    if not isinstance(error, typer.TyperException):
        return None
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "labctl"
    resolution = f"`{path} --help` lists what it takes"
    option = getattr(error, "option_name", None)
    if option in _GLOBAL_OPTIONS:
        form = "--connect URI" if option in _CONNECT else option
        resolution = f"this option stands before the command: `labctl {form} COMMAND`"
    words = " ".join(error.format_message().split())  # it sets choices with tabs, line by line
    return UsageError(words, resolution=resolution)


def _of_home(error: Exception) -> UsageError | None:
    """For a folder of labctl's own that can't be used; any other OSError is labctl's fault."""
    folder = default_home()
    name = getattr(error, "filename", None)
    if not isinstance(error, OSError) or not isinstance(name, str | Path):
        return None
    if folder not in (Path(name), *Path(name).parents):
        return None
    if error.errno not in _UNUSABLE and folder.is_dir():
        return None
    return UsageError(
        f"labctl can't keep things in {folder}: {error.strerror}",
        details=str(name),
        resolution="let LABCTL_HOME name a folder that can be written to",
    )


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    return f"raised in {frames[-1].filename}:{frames[-1].lineno}, {frames[-1].name}"
