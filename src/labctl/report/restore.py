"""What `snapshot restore` did, in words."""

from __future__ import annotations

from labctl.ops.results import RestoreResult
from labctl.report.paint import Paint, clean, count, duration

_MILLISECONDS = 1000


def restore_lines(result: RestoreResult, paint: Paint) -> list[str]:
    """What the nodes do now, how far apart they ran on, and how to go back."""
    head = f"{result.lab} is as in snapshot {result.snapshot}, after {duration(result.seconds)}"
    lines = [f"{paint('good', head)}: {_doing(result)}"]
    if result.removed:
        lines.append(f"removed, not in the snapshot: {', '.join(result.removed)}")
    if result.left_alone:
        alone = ", ".join(result.left_alone)
        lines.append(f"left alone, not captured when the snapshot was taken: {alone}")
    lines += [f"note: {clean(note)}" for note in result.notes]
    if result.late_clocks:
        lines.append(f"clocks not set: {', '.join(result.late_clocks)}")
    if not result.running and not result.paused:
        lines.append(f"`labctl up {result.lab}` boots its machines")
    if result.safety:
        partial = f" (partial: without {', '.join(result.unkept)})" if result.unkept else ""
        undo = f"labctl snapshot restore {result.lab} {result.safety}"
        lines.append(f"to undo it: {undo}{partial}")
    elif result.unkept:
        lines.append(f"it can't be undone: of {', '.join(result.unkept)} nothing was kept")
    return lines


def _doing(result: RestoreResult) -> str:
    parts = []
    if result.running:
        skew = f"{result.resume_skew * _MILLISECONDS:.1f} ms apart"
        parts.append(f"{count(len(result.running), 'node')} run on, {skew}")
    if result.paused:
        parts.append(f"{len(result.paused)} paused")
    if result.off:
        parts.append(f"{len(result.off)} off")
    return ", ".join(parts)
