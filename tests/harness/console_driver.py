"""Drives a pure console machine against a pure device, as ops does it with a clock and a wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from harness.fake_nexus import PASSWORD
from labctl.console.events import Send

Event = TypeVar("Event", covariant=True)


class Machine(Protocol[Event]):
    """NexusBoot and Session."""

    wake_after: float | None

    def feed(self, data: bytes) -> Sequence[Event]: ...

    def wake(self) -> Sequence[Event]: ...


class Terminal(Protocol):
    """FakeNexus."""

    def type(self, data: bytes) -> bytes: ...


def keys(send: Send, password: str = PASSWORD) -> bytes:
    """What a driver writes for a Send."""
    secret = password if send.secret == "nxos-admin" else ""
    return (send.text + secret).encode() + b"\r" * send.enter


def drive(
    machine: Machine[Event],
    device: Terminal,
    first: bytes,
    *,
    begin: Sequence[Event] = (),
    piece: int = 7,
    wakes: int = 200,
    password: str = PASSWORD,
) -> tuple[list[Event], float]:
    """Events, and the seconds waited, until nothing moves any more."""
    events, seconds, printed = list(begin), 0.0, first
    queue = list(begin)
    while True:
        while queue:
            event = queue.pop(0)
            if isinstance(event, Send):
                printed += device.type(keys(event, password))
        if printed:
            data, printed = printed[:piece], printed[piece:]
            queue += machine.feed(data)
        elif machine.wake_after is not None and wakes:
            wakes, seconds = wakes - 1, seconds + machine.wake_after
            queue += machine.wake()
        else:
            return events, seconds
        events += queue
