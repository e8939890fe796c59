"""The keyboard of a node's serial console, for dialogues that labctl leads itself.

It attaches when there is something to type, so that a person's console is left alone as long as
can be, and lets go when the dialogue is over.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from types import TracebackType

from labctl.console.events import Send
from labctl.errors import ConsoleBusy, Interrupted
from labctl.hypervisor.api import ConsoleStream, Hypervisor
from labctl.ops.context import Context
from labctl.ops.events import Notice

ATTACH_SECONDS = 60.0
"""How long a console that somebody else holds is waited for."""
_RETRY_SECONDS = 1.0
_PIECE = 32
_PIECE_SECONDS = 0.01
"""Serial ports lose what is pasted (facts: a line of 400 characters never came whole)."""
_ENTER = b"\r"


class Keyboard:
    """Types on a domain's first serial console. `secrets` are what Send names."""

    def __init__(
        self, ctx: Context, hypervisor: Hypervisor, domain: str, secrets: Mapping[str, str]
    ) -> None:
        self._ctx = ctx
        self._hypervisor = hypervisor
        self._domain = domain
        self._secrets = secrets
        self._stream: ConsoleStream | None = None

    def __enter__(self) -> Keyboard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def send(self, what: Send) -> None:
        """Type it, in pieces. Raises ConsoleBusy when somebody holds the console for too long."""
        stream = self.attach()
        data = (what.text + (self._secrets[what.secret] if what.secret else "")).encode()
        data += _ENTER if what.enter else b""
        for start in range(0, len(data), _PIECE):
            with contextlib.suppress(EOFError):  # the machine ended: who reads will see it
                stream.write(data[start : start + _PIECE])
            time.sleep(_PIECE_SECONDS)

    def read(self, timeout: float) -> bytes:
        """What the console printed since it was attached, waiting at most `timeout` seconds.

        Raises EOFError when the machine ended.
        """
        return self.attach().read(timeout)

    def drop_output(self) -> None:
        """Throw away what came: whoever follows the recorded console has it."""
        if self._stream is not None:
            with contextlib.suppress(EOFError):
                self._stream.read(0)

    def attach(self) -> ConsoleStream:
        """The console, attached now if it wasn't."""
        if self._stream is None:
            self._stream = self._open()
        return self._stream

    def _open(self) -> ConsoleStream:
        end = time.monotonic() + ATTACH_SECONDS
        told = False
        while True:
            try:
                return self._hypervisor.open_console(self._domain)
            except ConsoleBusy as busy:
                if time.monotonic() > end:
                    busy.resolution = (
                        "labctl needs it to speak to the device: leave it (Ctrl-]) and run the "
                        "command again"
                    )
                    raise
                if not told:
                    self._ctx.emit(_waiting(self._domain))
                told = True
            if self._ctx.interrupt.wait(_RETRY_SECONDS):
                raise Interrupted("interrupted while waiting for a console")


def _waiting(domain: str) -> Notice:
    return Notice(
        f"somebody holds the console of {domain}, which labctl needs: waiting up to "
        f"{ATTACH_SECONDS:g} s for them to leave it (Ctrl-])"
    )
