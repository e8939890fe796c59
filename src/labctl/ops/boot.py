"""Wait for one node to be ready: its recorded console through its boot procedure.

Ready is not running. Every phase has its deadline; what ends the wait is named: the phase that
hung, the fault on the console, a machine that stopped. What a procedure wants typed is typed on
the console itself; what the console says is read from its record, which has every byte.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labctl.console.dialogue import Dialogue
from labctl.console.events import BootEvent, Fault, Ready, Send
from labctl.console.events import PhaseEntered as PhaseSeen
from labctl.console.logtail import LogTail
from labctl.console.watcher import BootWatcher
from labctl.devices.nxos.boot import SECRET
from labctl.errors import DeadlineError, Interrupted, LabctlError, PhaseError
from labctl.hypervisor.api import DomainState, Hypervisor
from labctl.model.identity import domain_name
from labctl.model.intent import NodeIntent
from labctl.model.platform import Platform
from labctl.ops.alarm import Alarm
from labctl.ops.context import Context
from labctl.ops.events import PhaseEntered
from labctl.ops.keyboard import Keyboard
from labctl.ops.procedure import procedure_for
from labctl.ops.secrets import admin_password

_POLL_SECONDS = 0.2
_STATE_SECONDS = 3.0
_TAIL_LINES = 12
_SILENT_SHARE = 0.9
"""Of a phase's deadline without a byte, so that the node counts as stuck, not as slow."""
_ALIVE = (DomainState.RUNNING, DomainState.PAUSED)
POWER_ON = "power-on"
"""The name of the time before a platform's first phase."""


@dataclass(frozen=True, slots=True)
class Boot:
    """How far a node's console says it has come. `errors` counts day-0 errors of a ready node."""

    phase: str
    ready: bool
    errors: int
    fault: str
    tail: tuple[str, ...]


def boot_state(log: Path, platform: Platform, node: str) -> Boot | None:
    """What the console log says now; None when there is no log to read."""
    try:
        data = log.read_bytes()
    except OSError:
        return None
    by_itself = platform.automation == "agent"
    watcher = BootWatcher(platform) if by_itself else Dialogue(platform, [node])
    errors, fault = 0, ""
    for event in watcher.feed(data):
        if isinstance(event, Ready):
            errors, fault = event.errors, ""
        elif isinstance(event, Fault) and not watcher.ready:
            fault = f"{event.rule}: {event.explanation}"
    return Boot(
        phase=watcher.phase or POWER_ON,
        ready=watcher.ready,
        errors=errors if watcher.ready else 0,
        fault=fault,
        tail=tuple(watcher.tail(_TAIL_LINES)),
    )


def wait_ready(
    ctx: Context,
    hypervisor: Hypervisor,
    *,
    lab: str,
    intent: NodeIntent,
    log: Path,
    platform: Platform,
    resumed: bool,
) -> None:
    """Return when the node is ready. `resumed`: it was booting before this run.

    Raises PhaseError: the deadline of a phase passed, a fault showed on the console, the machine
    stopped, its day-0 had errors, or the run was interrupted.
    """
    node = intent.node.name
    led = platform.automation == "console"
    secrets = {SECRET: admin_password(ctx.home)} if led else {}
    with LogTail(log) as tail, Keyboard(ctx, hypervisor, domain_name(lab, node), secrets) as keys:
        _Wait(ctx, hypervisor, lab, intent, platform, tail, keys).run(resumed=resumed)


class _Wait:
    def __init__(
        self,
        ctx: Context,
        hypervisor: Hypervisor,
        lab: str,
        intent: NodeIntent,
        platform: Platform,
        tail: LogTail,
        keyboard: Keyboard,
    ) -> None:
        self._ctx = ctx
        self._hypervisor = hypervisor
        self._lab = lab
        self._node = intent.node.name
        self._domain = domain_name(lab, self._node)
        self._platform = platform
        self._tail = tail
        self._keyboard = keyboard
        self._procedure = procedure_for(platform, intent)
        self._started = self._entered = self._heard = time.monotonic()
        self._alarm = Alarm()

    def run(self, *, resumed: bool) -> None:
        next_look = self._started + _STATE_SECONDS
        ready = resumed and self._resume()
        while not ready and not self._read() and not self._wake():
            now = time.monotonic()
            if now > self._entered + self._procedure.allowed:
                raise self._late()
            if now > next_look:
                next_look = now + _STATE_SECONDS
                self._look_at_machine()
            if self._ctx.interrupt.wait(_POLL_SECONDS):
                raise self._error(Interrupted(f"left booting, in phase {self._phase}"))

    def _resume(self) -> bool:
        """Catch up with what was recorded before; whether the node is ready.

        What it was, ready or at fault, before a later phase was of a boot that is over.
        """
        history = b"".join(iter(self._tail.read_new, b""))
        events = self._procedure.resume(history)
        last = max((n for n, event in enumerate(events) if isinstance(event, PhaseSeen)), default=0)
        return self._handle(events[last:])

    def _read(self) -> bool:
        data = self._tail.read_new()
        if data:
            self._heard = time.monotonic()
        self._keyboard.drop_output()
        return self._handle(self._procedure.feed(data))

    def _wake(self) -> bool:
        """Wake the procedure when it wants to be; whether the node is ready."""
        due = self._alarm.is_due(self._procedure.wake_after, time.monotonic())
        return due and self._handle(self._procedure.wake())

    def _handle(self, events: Sequence[BootEvent]) -> bool:
        """Do and tell what the procedure wants; whether the node is ready."""
        for event in events:
            if isinstance(event, Ready):
                if event.errors:
                    raise self._error(_day0_errors(self._lab, self._node, event.errors))
                return True
            if isinstance(event, Fault):
                raise self._error(self._faulty(event))
            if isinstance(event, Send):
                self._keyboard.send(event)
            if isinstance(event, PhaseSeen):
                self._entered = time.monotonic()
                self._ctx.emit(PhaseEntered(self._node, event.name, self._entered - self._started))
        return False

    @property
    def _phase(self) -> str:
        return self._procedure.phase or POWER_ON

    def _look_at_machine(self) -> None:
        domain = self._hypervisor.domain(self._domain)
        state = domain.state.value if domain else "gone"
        if domain is None or domain.state not in _ALIVE:
            raise self._error(
                LabctlError(
                    f"{self._node} stopped while booting: its machine is {state}",
                    details=f"it had come to phase {self._phase}",
                    resolution=f"see its console: labctl logs {self._lab} {self._node}",
                )
            )

    def _late(self) -> PhaseError:
        allowed, silent = self._procedure.allowed, time.monotonic() - self._heard
        what = f"nothing further within {allowed:g} s"
        if silent > allowed * _SILENT_SHARE:
            what = f"stuck with no output for {silent:.0f} s, {allowed:g} s are allowed"
        return self._error(
            DeadlineError(
                f"{self._node} hung in phase {self._phase}: {what}",
                details="the machine runs, but its console did not show the next phase",
                resolution=f"look at it: labctl console {self._lab} {self._node}; "
                f"make it anew: labctl rebuild {self._lab} --node {self._node}",
            )
        )

    def _faulty(self, fault: Fault) -> LabctlError:
        return LabctlError(
            f"{self._node}: {fault.rule}: {fault.explanation}",
            details=f"its console said: {fault.line}",
            resolution=f"make it anew: labctl rebuild {self._lab} --node {self._node}",
        )

    def _error(self, error: LabctlError) -> PhaseError:
        return PhaseError(error, phase=self._phase, tail=self._procedure.tail(_TAIL_LINES))


def _day0_errors(lab: str, node: str, count: int) -> LabctlError:
    return LabctlError(
        f"{node} came up, but {count} line(s) of its day-0 configuration failed",
        details="the lines are named on its console",
        resolution=f"see them: labctl logs {lab} {node}; mend the file, then labctl up FILE",
    )
