"""Locks: one run at a time changes a lab; one run at a time hands out UDP ports on a hypervisor.

flock(2), so a killed run leaves no lock behind (once the program it had started has ended). The
file is removed on release; whoever waited for it notices that its inode is no longer the one at
that path and tries again.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from labctl.errors import LabLocked
from labctl.model.paths import Home

_POLL_SECONDS = 0.05
_PORT_LOCK_DEADLINE = 300.0
_ORPHAN_DEADLINE = 60.0
"""Seconds for the program a killed run had started: an overlay takes it a fraction of one."""


class Holder(NamedTuple):
    """Who holds a lock."""

    pid: int
    operation: str
    since: str

    def __str__(self) -> str:
        return f"`labctl {self.operation}` (pid {self.pid}, since {self.since})"


@contextmanager
def lab_lock(home: Home, lab: str, operation: str) -> Iterator[None]:
    """Hold the lab's lock. Raises LabLocked at once, naming the holder, when it is taken.

    What a killed run had started and still runs is waited for.
    """
    from labctl.process import inheriting  # here: `labctl status` asks for holders alone

    path = home.lab(lab).lock
    end = time.monotonic() + _ORPHAN_DEADLINE
    while (descriptor := _acquire(path, operation)) is None and _is_orphaned(path):
        if time.monotonic() > end:
            break
        time.sleep(_POLL_SECONDS)
    if descriptor is None:
        raise _locked(lab, path)
    try:
        with inheriting(descriptor):
            yield
    finally:
        _release(path, descriptor)


def refuse_if_held(home: Home, lab: str) -> None:
    """Raise LabLocked while another run holds the lab's lock; takes nothing."""
    path = home.lab(lab).lock
    if not _is_orphaned(path):
        raise _locked(lab, path)


def _locked(lab: str, path: Path) -> LabLocked:
    return LabLocked(
        f"lab {lab} is being changed by another run",
        details=f"held by {holder(path) or 'a run that did not say who it is'}",
        resolution="wait for it to end, or end it with Ctrl-C where it runs",
    )


@contextmanager
def port_lock(home: Home, uri: str) -> Iterator[None]:
    """Hold the hypervisor's port table: from reading which ports are taken to defining domains.

    Waits for other labs' runs for at most _PORT_LOCK_DEADLINE seconds, then raises LabLocked.
    """
    import hashlib  # only needed here; `labctl status` asks for holders alone

    path = home.locks / f"ports-{hashlib.sha256(uri.encode()).hexdigest()[:12]}.lock"
    end = time.monotonic() + _PORT_LOCK_DEADLINE
    while (descriptor := _acquire(path, "up")) is None:
        if time.monotonic() > end:
            raise LabLocked(
                f"the UDP port table of {uri} stayed locked for {_PORT_LOCK_DEADLINE:g} s",
                details=f"held by {holder(path) or 'an unknown run'}",
                resolution="see what that run waits for",
            )
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        _release(path, descriptor)


def sweep(home: Home) -> None:
    """Remove the files of locks that nobody holds: what killed runs left."""
    for path in home.locks.glob("*.lock"):
        remove_stale(path)


def remove_stale(path: Path) -> None:
    """Remove a lock's file, unless somebody holds it."""
    descriptor = _acquire(path, "sweep")
    if descriptor is not None:
        _release(path, descriptor)


def holder(path: Path) -> Holder | None:
    """Who holds the lock at `path`; None when nobody does (or it can't be read)."""
    try:
        with path.open() as file:
            if _try_flock(file.fileno()):
                return None
            words = json.load(file)
        return Holder(int(words["pid"]), str(words["operation"]), str(words["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_orphaned(path: Path) -> bool:
    """Whether the run that took the lock is gone, and at most something it started holds it."""
    taker = holder(path)
    if taker is None:
        return True
    try:
        os.kill(taker.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _acquire(path: Path, operation: str) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _try_flock(descriptor):
            os.close(descriptor)
            return None
        if _is_file_at(path, descriptor):
            _sign(descriptor, operation)
            return descriptor
        os.close(descriptor)


def _release(path: Path, descriptor: int) -> None:
    path.unlink(missing_ok=True)
    os.close(descriptor)


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_file_at(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _sign(descriptor: int, operation: str) -> None:
    from datetime import UTC, datetime  # only needed here, as hashlib above

    since = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({"pid": os.getpid(), "operation": operation, "since": since})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
