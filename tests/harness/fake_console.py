"""A console in memory: the test feeds what the guest prints and reads what was typed."""

from __future__ import annotations

import threading


class FakeConsole:
    """A ConsoleStream."""

    def __init__(self) -> None:
        self.typed = bytearray()
        self.closed = False
        self._printed = bytearray()
        self._changed = threading.Condition()

    def feed(self, data: bytes) -> None:
        """Have the guest print."""
        with self._changed:
            self._printed += data
            self._changed.notify_all()

    def read(self, timeout: float) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._printed or self.closed, timeout)
            data = bytes(self._printed)
            self._printed.clear()
            if not data and self.closed:
                raise EOFError("the console was closed")
        return data

    def write(self, data: bytes) -> None:
        if self.closed:
            raise EOFError("the console was closed")
        self.typed += data

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()
