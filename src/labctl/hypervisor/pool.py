"""Connections to one libvirt daemon: as many as calls run at the same time.

libvirt serves the calls of many threads on one connection, but not its end: when keepalive closes
it under two calls, the client library (9.0) wakes one and leaves the other waiting for ever. With
one call on a connection at a time, each ends. It also keeps clear of max_client_requests, five
calls of a client at once by default.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import libvirt


class Connections:
    """Opens connections as they are needed and keeps them for the next call."""

    def __init__(self, open_connection: Callable[[], libvirt.virConnect], *, shared: bool) -> None:
        """Open the first. With `shared` there is no second: for drivers within this process,
        which need no keepalive and may keep their state in the connection.
        """
        self._open = open_connection
        self._shared = shared
        self._mutex = threading.Lock()
        self._first = open_connection()
        self._all = [self._first]
        self._idle = [self._first]

    @contextlib.contextmanager
    def one(self) -> Iterator[libvirt.virConnect]:
        """A connection on which no other call runs."""
        if self._shared:
            yield self._first
            return
        connection = self._take()
        try:
            yield connection
        finally:
            with self._mutex:
                self._idle.append(connection)

    def close(self) -> None:
        """End them all; a second time, or after the daemon's death, it does nothing."""
        for connection in self._all:
            with contextlib.suppress(libvirt.libvirtError):
                connection.close()

    def _take(self) -> libvirt.virConnect:
        with self._mutex:
            if self._idle:
                return self._idle.pop()
        connection = self._open()
        with self._mutex:
            self._all.append(connection)
        return connection
