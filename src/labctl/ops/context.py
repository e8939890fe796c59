"""What every operation is given: where things are, how to reach libvirt, whom to tell."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for annotations alone: `labctl status` must not import them
    from labctl.hypervisor.api import Hypervisor
    from labctl.model.paths import Home
    from labctl.ops.events import Event, EventSink


def silent(_event: Event) -> None:
    """An EventSink that tells nobody."""


class Interrupt:
    """Set by the first Ctrl-C: operations start nothing new and end what they are at."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until the interrupt; True when interrupted."""
        return self._event.wait(seconds)


class Context:
    """One run of labctl."""

    def __init__(
        self,
        home: Home,
        uri: str | None,
        connect: Callable[[str | None], Hypervisor],
        emit: EventSink = silent,
        interrupt: Interrupt | None = None,
    ) -> None:
        self.home = home
        self.uri = uri
        self.connect = connect
        self.emit = emit
        self.interrupt = interrupt or Interrupt()
