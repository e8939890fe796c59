"""Commands on a device that is spoken to over its serial console."""

from __future__ import annotations

import time
from collections.abc import Sequence

from labctl.console.events import Send
from labctl.devices.nxos.boot import SECRET
from labctl.devices.nxos.session import Output, Session, SessionEvent
from labctl.errors import DeadlineError, Interrupted, LabctlError
from labctl.hypervisor.api import Hypervisor
from labctl.model.identity import domain_name
from labctl.ops.alarm import Alarm
from labctl.ops.context import Context
from labctl.ops.keyboard import Keyboard
from labctl.ops.secrets import admin_password

_READ_SECONDS = 0.2
_TAIL_LINES = 12


def converse(
    ctx: Context,
    hypervisor: Hypervisor,
    session: Session,
    *,
    lab: str,
    node: str,
    deadline: float,
) -> tuple[Output, ...]:
    """Lead `session` with the node to its end; what each of its commands printed, in their order.

    `deadline` is seconds for each of them, and for logging in. Raises LabctlError when the console
    does not lead to a command line, DeadlineError when a command does not end, ConsoleBusy when
    somebody holds the console.
    """
    secrets = {SECRET: admin_password(ctx.home)}
    with Keyboard(ctx, hypervisor, domain_name(lab, node), secrets) as keyboard:
        outputs = _Conversation(ctx, keyboard, session, node, deadline).run()
    if session.failed:
        raise LabctlError(
            f"{node} can't be spoken to over its console: {session.failed}",
            details="its last lines:\n" + "\n".join(session.tail(_TAIL_LINES)),
            resolution=f"look at it: labctl console {lab} {node}",
        )
    return tuple(outputs)


class _Conversation:
    """One session on one keyboard. One use."""

    def __init__(
        self, ctx: Context, keyboard: Keyboard, session: Session, node: str, deadline: float
    ) -> None:
        self._ctx = ctx
        self._keyboard = keyboard
        self._session = session
        self._node = node
        self._deadline = deadline
        self._outputs: list[Output] = []
        self._moved = time.monotonic()
        self._alarm = Alarm()

    def run(self) -> list[Output]:
        self._keyboard.attach()
        self._handle(self._session.start())
        while not self._session.done:
            try:
                data = self._keyboard.read(_READ_SECONDS)
            except EOFError:
                raise LabctlError(f"the machine of {self._node} ended meanwhile") from None
            self._handle(self._session.feed(data))
            self._wake()
            self._stop_if_late()
        return self._outputs

    def _handle(self, events: Sequence[SessionEvent]) -> None:
        for event in events:
            if isinstance(event, Send):
                self._keyboard.send(event)
            else:
                self._outputs.append(event)
                self._moved = time.monotonic()

    def _wake(self) -> None:
        if self._alarm.is_due(self._session.wake_after, time.monotonic()):
            self._handle(self._session.wake())

    def _stop_if_late(self) -> None:
        if self._ctx.interrupt.is_set():
            raise Interrupted(f"interrupted while speaking to {self._node}")
        if time.monotonic() - self._moved > self._deadline:
            raise DeadlineError(
                f"{self._node}: no command ended within {self._deadline:g} s",
                details="its last lines:\n" + "\n".join(self._session.tail(_TAIL_LINES)),
                resolution="its console may hang in a command: look at it with labctl console",
            )
