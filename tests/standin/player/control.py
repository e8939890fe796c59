"""The control plane at work: a thread that announces and listens, and what it knows."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from dataclasses import dataclass

from standin.player.config import Block
from standin.player.fabric import Members, View, view
from standin.player.speaker import speaker
from standin.player.switch import Switch
from standin.player.wire import INTERVAL, Assembler, Flood, frames


@dataclass(frozen=True)
class Wire:
    """A card with its socket, by the name of its port."""

    port: str
    card: int
    socket: socket.socket
    assembler: Assembler


class Control:
    """Of one switch, from its first login prompt on."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._me = switch.machine.macs[0]
        self._flood = Flood(self._me, self._send)
        self._wires = {
            w.port: w for n in range(1, len(switch.machine.macs)) if (w := self._wire(n))
        }
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._sent = 0
        threading.Thread(target=self._run, daemon=True).start()

    def view(self) -> View:
        """The fabric at this moment, the configuration as it is now."""
        with self._lock:
            self._announce()
            found = view(self._me, self._members())
        now = time.monotonic()
        up = {p.session.address for p in found.peerings if p.state == "Established"}
        up |= {a.port for a in found.adjacencies} | {p.address for p in found.peers}
        self._since = {what: self._since.get(what, now) for what in up}
        return found

    def age(self, what: str) -> int:
        """Seconds that a neighbor (address), adjacency (port) or VTEP has been up."""
        return int(time.monotonic() - self._since.get(what, time.monotonic()))

    def _members(self) -> Members:
        return self._flood.members()

    def _wire(self, card: int) -> Wire | None:
        found = self._switch.machine.socket(card)
        if found is None:
            return None
        found.setblocking(False)  # a full queue is a lost announcement, not a switch that hangs
        return Wire(f"Ethernet1/{card}", card, found, Assembler())

    def _ports(self) -> tuple[str, ...]:
        return tuple(p for p, w in self._wires.items() if is_up(self._switch, w.card))

    def _announce(self) -> None:
        switch = self._switch
        with switch.lock:
            own = speaker(switch.root, switch.hostname, self._me)
        self._flood.announce(own, time.time_ns() // 1_000_000, self._ports())

    def _send(self, port: str, data: bytes) -> None:
        wire = self._wires[port]
        source = bytes.fromhex(self._switch.machine.macs[wire.card].replace(":", ""))
        self._sent += 1
        with contextlib.suppress(OSError):  # the cable was pulled just now
            for frame in frames(source, self._sent, data):
                wire.socket.send(frame)

    def _run(self) -> None:
        due = 0.0
        by_socket = {wire.socket: wire for wire in self._wires.values()}
        while True:
            if time.monotonic() >= due:
                self.view()
                due = time.monotonic() + INTERVAL
            ready, _, _ = select.select(list(by_socket), [], [], max(due - time.monotonic(), 0))
            for found in ready:
                self._take(by_socket[found])

    def _take(self, wire: Wire) -> None:
        with contextlib.suppress(OSError):
            message = wire.assembler.take(wire.socket.recv(65535))
            if message:
                with self._lock:
                    self._flood.receive(wire.port, message, self._ports())


def is_up(switch: Switch, card: int) -> bool:
    """Whether a port is up: line card there, not shut, cable in."""
    block = switch.root.at(f"interface Ethernet1/{card}") or Block()
    shut = "shutdown" in block.lines or (
        "no switchport" in block.lines and "no shutdown" not in block.lines
    )
    return switch.has_card and not shut and switch.machine.plugged(card)
