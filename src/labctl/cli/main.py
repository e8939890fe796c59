"""The entry point, and the one place where errors become exit codes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from labctl.cli import quick
from labctl.cli.words import separated
from labctl.errors import ExitCode

_NEW_OBJECTS = 50_000
"""How many more objects make Python look for unreachable cycles; 700 is its own measure."""


def main(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code; what went wrong is told on the way."""
    argv = separated(argv)
    try:
        if (asked := quick.parse(argv)) is not None:
            return quick.run(asked)
        from labctl.cli import app

        return app.run(argv)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  the edge: nothing may reach the user as a traceback
        from labctl.cli import failure

        return failure.tell(error, as_json="--json" in _own(argv))


def _own(argv: Sequence[str]) -> Sequence[str]:
    """The words that are labctl's own, not those of a command for a node."""
    return argv[: argv.index("--")] if "--" in argv else argv


def _open_closed_streams() -> None:
    """Python has None for a standard stream that was closed before (`labctl ... <&-`)."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  to the end
            setattr(sys, name, stream)


def run() -> NoReturn:
    """The `labctl` program.

    It lives shortly and leaves few cycles of objects: looking for them at Python's usual pace, and
    once more among all modules at the end, would take a tenth of its time.
    """
    gc.set_threshold(_NEW_OBJECTS)
    _open_closed_streams()
    code = main(sys.argv[1:])
    gc.freeze()
    sys.exit(code)
