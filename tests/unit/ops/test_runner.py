"""One node failing never stops the others; width is kept; an interrupt starts nothing new."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from labctl.errors import DeadlineError, Interrupted, LabctlError, PhaseError
from labctl.hypervisor.api import Hypervisor
from labctl.model.paths import Home
from labctl.ops.context import Context
from labctl.ops.events import Event, StepDone, StepFailed
from labctl.ops.runner import run_nodes


def _connect(_uri: str | None) -> Hypervisor:
    raise AssertionError("the runner needs no hypervisor")


def context(events: list[Event]) -> Context:
    return Context(Home(Path("/nowhere")), None, _connect, events.append)


@pytest.mark.parametrize("width", [1, 3, 8])
def test_failure_does_not_stop_the_others(width: int) -> None:
    events: list[Event] = []
    done: list[str] = []

    def task(node: str) -> None:
        if node == "leaf-1":
            raise PhaseError(DeadlineError("hung"), phase="day0", tail=["last line"])
        done.append(node)

    outcomes = run_nodes(
        context(events), "boot", ["spine-1", "leaf-1", "leaf-2"], task, width=width
    )
    assert [outcome.node for outcome in outcomes] == ["spine-1", "leaf-1", "leaf-2"]
    assert sorted(done) == ["leaf-2", "spine-1"]
    failed = outcomes[1]
    assert failed.error is not None
    assert failed.error.exit_code == 8
    assert (failed.phase, failed.tail) == ("day0", ("last line",))
    assert {e.node for e in events if isinstance(e, StepDone)} == {"spine-1", "leaf-2"}
    assert [e.node for e in events if isinstance(e, StepFailed)] == ["leaf-1"]


def test_width_is_never_exceeded() -> None:
    gate = threading.Semaphore(2)
    exceeded: list[str] = []
    meet = threading.Barrier(2)

    def task(node: str) -> None:
        if not gate.acquire(blocking=False):
            exceeded.append(node)
            return
        meet.wait(10)
        gate.release()

    run_nodes(context([]), "boot", ["a", "b", "c", "d"], task, width=2)
    assert exceeded == []


def test_interrupt_starts_nothing_new() -> None:
    ctx = context([])

    def task(node: str) -> None:
        ctx.interrupt.set()

    outcomes = run_nodes(ctx, "boot", ["a", "b", "c"], task, width=1)
    assert outcomes[0].error is None
    assert all(isinstance(outcome.error, Interrupted) for outcome in outcomes[1:])


def test_fault_of_labctl_is_not_swallowed() -> None:
    def task(node: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_nodes(context([]), "boot", ["a"], task, width=1)


def test_phase_error_keeps_the_exit_code() -> None:
    class Odd(LabctlError):
        exit_code = DeadlineError.exit_code

    assert PhaseError(Odd("x"), phase="day0").exit_code == 8
