"""Who has a file open for writing: an image that changes while it is read is worth nothing.

Three ways, for none sees all:

- A read lease (fcntl(2), "Leases"): the kernel grants it only while nobody of this host has the
  file open for writing. Needs to own the file or CAP_LEASE, and a local file system.
- QEMU's own locks (block/file-posix.c: byte 100 + n is locked by who holds permission n;
  include/block/block-common.h: 1 is to write, 3 to resize). They are seen on NFS 4 and such too,
  whoever asks and wherever the machine runs.
- /proc/PID/fd, which also tells who it is: of all processes for root, else of one's own.

Not seen: a writer on another host that takes no locks, and without owning the file another user's
program that is no QEMU.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from labctl.errors import ImageError

_QEMU_WRITES = (101, 103)
_FLOCK = struct.Struct("hhqqi4x")
"""struct flock of Linux on 64 bits: l_type, l_whence, l_start, l_len, l_pid."""
_PROC = Path("/proc")


def refuse_open_writer(path: Path) -> None:
    """Raise ImageError when `path` is open for writing, naming by whom as far as can be seen.

    Raises OSError when it can't be read.
    """
    with path.open("rb") as file:
        is_free, is_locked = _grants_lease(file.fileno()), _locked_by_qemu(file.fileno())
    if is_free and not is_locked:
        return
    who = list(_processes(path))
    if who or is_locked or is_free is False:
        raise ImageError(
            f"{path} is open for writing",
            details="\n".join(who) or "by a process that can't be seen from here",
            resolution="stop the machine or program first; its disk is whole only then "
            f"(`fuser -v {path}`)",
        )


def _grants_lease(descriptor: int) -> bool | None:
    """None where leases can't be had: another's file, or a file system without them."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True


def _locked_by_qemu(descriptor: int) -> bool:
    for byte in _QEMU_WRITES:
        ask = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        with suppress(OSError):  # a file system without locks
            told = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, ask)
            if _FLOCK.unpack(told)[0] != fcntl.F_UNLCK:
                return True
    return False


def _processes(path: Path) -> Iterator[str]:
    """Processes that have `path` open for writing, in words; those that may not be looked at
    and those that end meanwhile are passed over."""
    wanted = path.stat()
    for link in _PROC.glob("[0-9]*/fd/*"):
        with suppress(OSError, ValueError):
            found = link.stat()
            if (found.st_dev, found.st_ino) != (wanted.st_dev, wanted.st_ino):
                continue
            process = link.parents[1]
            info = (process / "fdinfo" / link.name).read_text()
            if _flags(info) & os.O_ACCMODE != os.O_RDONLY:
                name = (process / "comm").read_text().strip()
                yield f"process {process.name} ({name})"


def _flags(info: str) -> int:
    """The open(2) flags that /proc/PID/fdinfo tells, in octal."""
    lines = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    return int(lines["flags"].strip(), 8)
