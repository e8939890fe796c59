"""What a restore tells."""

from __future__ import annotations

from dataclasses import replace

from labctl.ops.results import RestoreResult
from labctl.report.paint import Paint
from labctl.report.restore import restore_lines

RESULT = RestoreResult(
    lab="x",
    snapshot="base",
    safety="before-base-1",
    running=("a", "b"),
    paused=(),
    off=("c",),
    removed=("d",),
    resume_skew=0.0042,
    late_clocks=("b",),
    notes=("an older QEMU",),
    seconds=3.25,
)


def test_what_is_to_be_known() -> None:
    assert restore_lines(RESULT, Paint()) == [
        "x is as in snapshot base, after 3.2 s: 2 nodes run on, 4.2 ms apart, 1 off",
        "removed, not in the snapshot: d",
        "note: an older QEMU",
        "clocks not set: b",
        "to undo it: labctl snapshot restore x before-base-1",
    ]


def test_nothing_that_is_not() -> None:
    quiet = replace(
        RESULT, safety="", running=(), removed=(), late_clocks=(), notes=(), paused=("a",)
    )
    assert restore_lines(quiet, Paint()) == [
        "x is as in snapshot base, after 3.2 s: 1 paused, 1 off",
    ]


def test_disks_alone_are_to_be_booted() -> None:
    off = replace(RESULT, safety="", running=(), removed=(), late_clocks=(), notes=())
    assert restore_lines(off, Paint())[1:] == ["`labctl up x` boots its machines"]


def test_what_the_way_back_lacks_is_told_beside_it() -> None:
    lines = restore_lines(replace(RESULT, unkept=("c", "d"), left_alone=("e",)), Paint())
    assert "left alone, not captured when the snapshot was taken: e" in lines
    assert lines[-1] == (
        "to undo it: labctl snapshot restore x before-base-1 (partial: without c, d)"
    )
    assert restore_lines(replace(RESULT, safety="", unkept=("c",)), Paint())[-1] == (
        "it can't be undone: of c nothing was kept"
    )
