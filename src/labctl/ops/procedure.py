"""How a node's boot is followed: watched where it comes up by itself, led where it must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from labctl.console.events import BootEvent
from labctl.console.watcher import BootWatcher
from labctl.devices.nxos.boot import NexusBoot
from labctl.model.fit import boot_image_of, fit_node
from labctl.model.intent import NodeIntent
from labctl.model.platform import Platform


class Procedure(Protocol):
    """Console bytes in, events out; labctl.devices.nxos.boot says more of `wake_after`."""

    wake_after: float | None

    @property
    def phase(self) -> str: ...
    @property
    def allowed(self) -> float: ...
    def feed(self, data: bytes) -> Sequence[BootEvent]: ...
    def resume(self, history: bytes) -> Sequence[BootEvent]: ...
    def wake(self) -> Sequence[BootEvent]: ...
    def tail(self, count: int) -> list[str]: ...


class Watched(BootWatcher):
    """A guest that needs nobody to come up: a Procedure that never types."""

    wake_after: float | None = None

    def resume(self, history: bytes) -> Sequence[BootEvent]:
        """What was recorded before: as good as seen."""
        return self.feed(history)

    def wake(self) -> Sequence[BootEvent]:
        """Never asked for."""
        return ()


def procedure_for(platform: Platform, intent: NodeIntent) -> Procedure:
    """How to follow the boot of a node that has just been started."""
    if platform.automation == "agent":
        return Watched(platform)
    node = intent.node
    numbers = [port.number for port in intent.ports]
    return NexusBoot(
        fit_node(platform, node, numbers),
        host=node.name,
        last_port=platform.interfaces.name(max(numbers)) if numbers else "",
        boot_image=boot_image_of(node),
        undersized=node.allow_undersized,
    )
