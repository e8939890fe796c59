"""Follows a recorded console (`<log file>`), through rotation and truncation."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from labctl.errors import HypervisorError

CHUNK = 1 << 20
"""Most bytes read at once."""


class LogTail:
    """Reads what is new in a log file, from `offset` on.

    The file may not exist yet, may be truncated (reading starts over at 0), or may be rotated as
    virtlogd does it, by renaming: the old file is read to its end, then the new one from 0.
    Raises HypervisorError for a file that may not be read.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.offset = offset
        """Where the next read starts in the current file."""

    def __enter__(self) -> LogTail:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def read_new(self) -> bytes:
        """What came since the last call (at most CHUNK bytes), b"" if nothing. Never waits."""
        if self._file is None and not self._open():
            return b""
        data = self._read()
        if not data and self._replaced():
            self.close()
            self.offset = 0
            if self._open():
                data = self._read()
        return data

    def _open(self) -> bool:
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            return False
        except PermissionError:
            raise HypervisorError(
                f"can't read the recorded console {self._path}",
                details="virtlogd writes it as root for machines of qemu:///system",
                resolution="run labctl as root, or use your own machines: -c qemu:///session",
            ) from None
        return True

    def _read(self) -> bytes:
        if self._file is None:
            return b""
        if os.fstat(self._file.fileno()).st_size < self.offset:
            self.offset = 0
        self._file.seek(self.offset)
        data = self._file.read(CHUNK)
        self.offset += len(data)
        return data

    def _replaced(self) -> bool:
        """Whether another file stands at the path now."""
        if self._file is None:
            return False
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)


def follow(
    tail: LogTail,
    *,
    done: Callable[[], bool],
    poll: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[bytes]:
    """Pieces of the log as they come, looking every `poll` seconds, until `done()` says stop.

    What is in the file when `done()` turns true is still given.
    """
    while True:
        last = done()
        while data := tail.read_new():
            yield data
        if last:
            return
        sleep(poll)
