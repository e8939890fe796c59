"""The command line of the build."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from imagebuild.tools import BuildError, check_host

from standin.image.make import build


def main(arguments: Sequence[str]) -> int:
    """Build the image if it isn't current; the exit code."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _terminated)  # so that the scratch folder goes
    started = time.monotonic()

    def say(text: str) -> None:
        if not options.print_path:
            sys.stderr.write(f"[{time.monotonic() - started:5.1f} s] {text}\n")

    try:
        check_host()
        image = build(options.out.resolve(), say, force=options.force)
    except (BuildError, OSError) as error:
        sys.stderr.write(f"build: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("build: interrupted, nothing changed\n")
        return 130
    if options.print_path:
        sys.stdout.write(f"{image}\n")
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(prog="build", description=__doc__)
    option = parser.add_argument
    option("--out", type=Path, default=cache / "labctl/standin", metavar="DIR",
           help="folder for standin.qcow2 and standin.json (default: %(default)s)")  # fmt: skip
    option("--force", action="store_true", help="build even if the image is up to date")
    option("--print-path", action="store_true",
           help="build if needed, then print nothing but the image's path")  # fmt: skip
    return parser.parse_args(arguments)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
