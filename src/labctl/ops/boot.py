"""Wait for one node to be ready: its console log through the platform's boot watcher.

Ready is not running. Every phase has its deadline; what ends the wait is named: the phase that
hung, the fault on the console, a machine that stopped.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from labctl.console.events import Fault, Ready
from labctl.console.events import PhaseEntered as PhaseSeen
from labctl.console.logtail import LogTail
from labctl.console.watcher import BootWatcher
from labctl.errors import DeadlineError, Interrupted, LabctlError, PhaseError
from labctl.hypervisor.api import DomainState, Hypervisor
from labctl.model.identity import domain_name
from labctl.model.platform import Platform
from labctl.ops.context import Context
from labctl.ops.events import PhaseEntered

_POLL_SECONDS = 0.2
_STATE_SECONDS = 3.0
_TAIL_LINES = 12
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


def boot_state(log: Path, platform: Platform) -> Boot | None:
    """What the console log says now; None when there is no log to read."""
    try:
        data = log.read_bytes()
    except OSError:
        return None
    watcher = BootWatcher(platform)
    errors, fault = 0, ""
    for event in watcher.feed(data):
        if isinstance(event, Ready):
            errors, fault = event.errors, ""
        elif isinstance(event, Fault) and not watcher.ready:
            fault = _explained(platform, event)
    return Boot(
        phase=watcher.phase or POWER_ON,
        ready=watcher.ready,
        errors=errors if watcher.ready else 0,
        fault=fault,
        tail=tuple(watcher.tail(_TAIL_LINES)),
    )


def wait_ready(
    ctx: Context, hypervisor: Hypervisor, *, lab: str, node: str, log: Path, platform: Platform
) -> None:
    """Return when the node is ready.

    Raises PhaseError: the deadline of a phase passed, a fault showed on the console, the machine
    stopped, its day-0 had errors, or the run was interrupted.
    """
    with LogTail(log) as tail:
        _Wait(ctx, hypervisor, lab, node, platform, tail).run()


class _Wait:
    def __init__(
        self,
        ctx: Context,
        hypervisor: Hypervisor,
        lab: str,
        node: str,
        platform: Platform,
        tail: LogTail,
    ) -> None:
        self._ctx = ctx
        self._hypervisor = hypervisor
        self._lab = lab
        self._node = node
        self._domain = domain_name(lab, node)
        self._platform = platform
        self._tail = tail
        self._watcher = BootWatcher(platform)
        self._started = self._entered = time.monotonic()

    def run(self) -> None:
        next_look = self._started + _STATE_SECONDS
        while not self._read():
            now = time.monotonic()
            if now > self._entered + self._watcher.allowed:
                raise self._late()
            if now > next_look:
                next_look = now + _STATE_SECONDS
                self._look_at_machine()
            if self._ctx.interrupt.wait(_POLL_SECONDS):
                raise self._error(Interrupted(f"left booting, in phase {self._phase}"))

    def _read(self) -> bool:
        for event in self._watcher.feed(self._tail.read_new()):
            if isinstance(event, Ready):
                if event.errors:
                    raise self._error(_day0_errors(self._lab, self._node, event.errors))
                return True
            if isinstance(event, Fault):
                raise self._error(self._faulty(event))
            if isinstance(event, PhaseSeen):
                self._entered = time.monotonic()
                self._ctx.emit(PhaseEntered(self._node, event.name, self._entered - self._started))
        return False

    @property
    def _phase(self) -> str:
        return self._watcher.phase or POWER_ON

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
        return self._error(
            DeadlineError(
                f"{self._node} hung in phase {self._phase}: nothing further within "
                f"{self._watcher.allowed:g} s",
                details="the machine runs, but its console did not show the next phase",
                resolution=f"look at it: labctl console {self._lab} {self._node}; "
                f"make it anew: labctl rebuild {self._lab} --node {self._node}",
            )
        )

    def _faulty(self, fault: Fault) -> LabctlError:
        return LabctlError(
            f"{self._node}: {_explained(self._platform, fault)}",
            details=f"its console said: {fault.line}",
            resolution=f"make it anew: labctl rebuild {self._lab} --node {self._node}",
        )

    def _error(self, error: LabctlError) -> PhaseError:
        return PhaseError(error, phase=self._phase, tail=self._watcher.tail(_TAIL_LINES))


def _explained(platform: Platform, fault: Fault) -> str:
    return next(rule.explanation for rule in platform.faults if rule.name == fault.rule)


def _day0_errors(lab: str, node: str, count: int) -> LabctlError:
    return LabctlError(
        f"{node} came up, but {count} line(s) of its day-0 configuration failed",
        details="the lines are named on its console",
        resolution=f"see them: labctl logs {lab} {node}; mend the file, then labctl up FILE",
    )
