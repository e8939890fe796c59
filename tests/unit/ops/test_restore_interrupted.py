"""Ctrl-C while a lab is taken back: until its machines are switched off nothing is changed."""

from __future__ import annotations

import pytest

from harness.moved_on import NOW, RUNNING, assert_as_taken, held, states
from harness.site import LAB, Site
from labctl.errors import Interrupted
from labctl.ops.context import Context, Interrupt
from labctl.ops.events import Event, StepDone
from labctl.ops.restore import restore
from labctl.ops.restore_marker import marker
from labctl.ops.snapshots import Snapshots


def interruptible(site: Site, *, when_read: bool = False) -> Context:
    """A context that can be interrupted, or is once the snapshot has been read."""
    interrupt = Interrupt()

    def emit(event: Event) -> None:
        site.events.append(event)
        if when_read and isinstance(event, StepDone) and event.step == "read the snapshot":
            interrupt.set()

    return Context(site.home, None, site.connect, emit, interrupt)


def assert_not_done(site: Site, ctx: Context, *, safety: bool = True) -> None:
    before = Snapshots(site.home.lab(LAB)).current()
    with pytest.raises(Interrupted) as caught:
        restore(ctx, LAB, "base", safety=safety)
    assert str(caught.value.brief) == "restore of base not done, the lab is as it was"
    assert caught.value.resolution == f"labctl snapshot restore {LAB} base"
    assert "snapshot create" not in str(caught.value)
    assert (states(site), held(site)) == ([RUNNING] * 3, NOW)
    assert Snapshots(site.home.lab(LAB)).names() == ("base",)
    assert Snapshots(site.home.lab(LAB)).current() == before
    assert marker(site.home.lab(LAB)) is None


def test_while_the_snapshot_is_read(moved_on: Site) -> None:
    assert_not_done(moved_on, interruptible(moved_on, when_read=True))
    assert moved_on.fake.faults.calls["save_memory"] == 2  # those of `base`


@pytest.mark.parametrize("call", ["save_memory", "resume"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_while_the_present_is_kept(moved_on: Site, call: str, number: int) -> None:
    ctx = interruptible(moved_on)
    moved_on.fake.faults.at(call, ctx.interrupt.set, call=number, after=True)
    assert_not_done(moved_on, ctx)


def test_a_save_that_failed_then_is_no_reason_to_save_again(moved_on: Site) -> None:
    ctx = interruptible(moved_on)

    def strike() -> None:
        ctx.interrupt.set()
        raise Interrupted("killed by it")

    moved_on.fake.faults.at("save_memory", strike)
    assert_not_done(moved_on, ctx)


def test_without_a_safety_snapshot(moved_on: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It strikes after the last look at the host, right before the first change."""
    ctx = interruptible(moved_on)

    def fits(*_: object) -> tuple[str, ...]:
        ctx.interrupt.set()
        return ()

    monkeypatch.setattr("labctl.ops.restore.misfits", fits)
    assert_not_done(moved_on, ctx, safety=False)


def test_once_machines_are_off_it_is_done_to_its_end(moved_on: Site) -> None:
    ctx = interruptible(moved_on)
    moved_on.fake.faults.at("destroy", ctx.interrupt.set)
    restore(ctx, LAB, "base")
    assert_as_taken(moved_on)
