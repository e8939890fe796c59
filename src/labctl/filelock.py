"""A lock on a file, waited for with a deadline. flock(2), so a killed run leaves no lock behind."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labctl.errors import DeadlineError
from labctl.process import inheriting

_POLL_SECONDS = 0.05


@contextmanager
def locked(path: Path, *, deadline: float, what: str) -> Iterator[None]:
    """Hold the lock file `path`; its folder must be there, and it stays there itself.

    Raises DeadlineError naming `what` when another run holds it for `deadline` seconds.
    """
    with path.open("w") as file:
        end = time.monotonic() + deadline
        while not _try(file.fileno()):
            if time.monotonic() >= end:
                raise DeadlineError(
                    f"another run held {what} for {deadline:g} s",
                    details=f"the lock file is {path}",
                    resolution=f"`fuser -v {path}` tells which; wait for it or end it",
                )
            time.sleep(_POLL_SECONDS)
        with inheriting(file.fileno()):
            yield


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
