"""How a command shows what came of it: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TextIO

from labctl.errors import UsageError
from labctl.report.paint import Paint

Render = Callable[[Paint], Sequence[str]]


def show(value: object, render: Render, *, as_json: bool) -> None:
    """Print a result: one JSON document, or the lines `render` makes of it."""
    if as_json:
        from labctl.report.json import dump

        print_lines([dump(value)])
    else:
        print_lines(render(Paint(wants_colour(sys.stdout))))


def print_lines(lines: Sequence[str]) -> None:
    """Write lines to stdout at once."""
    if lines:
        _write("\n".join(lines) + "\n")


def print_bytes(data: bytes) -> None:
    """Write bytes to stdout as they are, at once."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _end_like_a_filter()
    except OSError as error:
        raise _unwritable(error) from None


def say(lines: Sequence[str]) -> None:
    """Tell the user something that is no result: on stderr."""
    if lines:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()


def wants_colour(stream: TextIO) -> bool:
    """True on a terminal, unless NO_COLOR says otherwise (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _end_like_a_filter()
    except OSError as error:
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> UsageError:
    return UsageError(
        f"can't write the output: {error.strerror}",
        resolution="send it to where there is room for it",
    )


def _end_like_a_filter() -> NoReturn:
    """Whoever read our output has gone (`| head`): end as a filter does, without a word.

    Python ignores SIGPIPE, and typer would make an exit code 1 of the error.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
    raise AssertionError("no process outlives SIGPIPE")
