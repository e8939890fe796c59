"""A domain's serial console as a byte stream with deadlines.

Each stream has a connection of its own: two streams, or a stream and a blocking call, on one
connection can deadlock inside libvirt (virStreamRecv holds the poll virStreamSend waits for).
The stream itself is non-blocking; bytes are taken off it by the event loop's thread.
"""

from __future__ import annotations

import contextlib
import threading
from time import monotonic, sleep

import libvirt

from labctl.errors import ConsoleBusy, DeadlineError, HypervisorError
from labctl.hypervisor.domains import need
from labctl.hypervisor.refusal import translate

WRITE_SECONDS = 10.0
"""How long a console may refuse bytes before a write gives up."""
_CHUNK = 64 * 1024
_WOULD_BLOCK = -2
_READABLE = libvirt.VIR_STREAM_EVENT_READABLE
_ENDED = libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP


class LibvirtConsole:
    """A ConsoleStream. One thread may read while another writes; close() from any thread."""

    def __init__(self, connection: libvirt.virConnect, name: str, *, force: bool) -> None:
        """Attach to the first serial console; owns `connection` from here on.

        HypervisorError when somebody else is attached and `force` is not set, or the domain is
        off.
        """
        self._connection = connection
        self._name = name
        self._received = bytearray()
        self._closed = False
        self._changed = threading.Condition()
        try:
            self._stream = self._attach(force=force)
        except HypervisorError:
            connection.close()
            raise

    def _attach(self, *, force: bool) -> libvirt.virStream:
        domain = need(self._connection, self._name)
        flags = libvirt.VIR_DOMAIN_CONSOLE_FORCE if force else libvirt.VIR_DOMAIN_CONSOLE_SAFE
        try:
            stream = self._connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
            domain.openConsole(None, stream, flags)
            stream.eventAddCallback(_READABLE | _ENDED, self._on_event, None)
        except libvirt.libvirtError as error:
            raise self._refusal(error) from error
        return stream

    def _refusal(self, error: libvirt.libvirtError) -> HypervisorError:
        refusal = translate(error, f"open the console of {self._name}")
        if "Active console session" not in refusal.brief:
            return refusal
        return ConsoleBusy(
            f"somebody else is attached to the console of {self._name}",
            resolution="`labctl console --force` takes it over; "
            "`labctl logs -f` shows it without attaching",
        )

    def read(self, timeout: float) -> bytes:
        """What came within `timeout` seconds, b"" if nothing; EOFError when it was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._received or self._closed, timeout)
            data = bytes(self._received)
            self._received.clear()
            if not data and self._closed:
                raise EOFError(f"the console of {self._name} was closed")
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`; DeadlineError when the console takes no more, EOFError if closed."""
        end = monotonic() + WRITE_SECONDS
        while data:
            sent = self._send(data)
            if sent > 0:
                data = data[sent:]
            elif monotonic() > end:
                raise DeadlineError(
                    f"the console of {self._name} took no input for {WRITE_SECONDS:g} s",
                    resolution="the guest hangs: see `labctl logs`",
                )
            else:
                sleep(0.01)

    def _send(self, data: bytes) -> int:
        if self._closed:
            raise EOFError(f"the console of {self._name} was closed")
        try:
            return int(self._stream.send(data))
        except libvirt.libvirtError as error:
            self._end()
            raise EOFError(f"the console of {self._name} was closed: {error}") from error

    def close(self) -> None:
        """Detach; the guest does not notice. Closing twice is fine."""
        self._end()
        for step in (self._stream.eventRemoveCallback, self._stream.abort, self._connection.close):
            with contextlib.suppress(libvirt.libvirtError):
                step()

    def _on_event(self, stream: libvirt.virStream, events: int, _opaque: None) -> None:
        """In the event loop's thread: take what there is, note the end."""
        ended = bool(events & _ENDED)
        data = b""
        if events & _READABLE:
            try:
                got = stream.recv(_CHUNK)
            except libvirt.libvirtError:
                got, ended = b"", True
            if got != _WOULD_BLOCK:
                data, ended = got, ended or not got
        with self._changed:
            self._received += data
            self._closed = self._closed or ended
            self._changed.notify_all()
        if ended:
            with contextlib.suppress(libvirt.libvirtError):
                stream.eventRemoveCallback()

    def _end(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
