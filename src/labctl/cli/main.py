"""The entry point, and the one place where errors become exit codes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import NoReturn

from labctl.cli import quick
from labctl.errors import ExitCode

_NEW_OBJECTS = 50_000
"""How many more objects make Python look for unreachable cycles; 700 is its own measure."""


def main(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code; what went wrong is told on the way."""
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


def run() -> NoReturn:
    """The `labctl` program.

    It lives shortly and leaves few cycles of objects: looking for them at Python's usual pace, and
    once more among all modules at the end, would take a tenth of its time.
    """
    gc.set_threshold(_NEW_OBJECTS)
    code = main(sys.argv[1:])
    gc.freeze()
    sys.exit(code)
