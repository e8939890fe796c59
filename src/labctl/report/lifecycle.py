"""What down, destroy, save and link did, in words."""

from __future__ import annotations

import difflib

from labctl.ops.results import (
    Belongings,
    DestroyResult,
    DownResult,
    LinkResult,
    NodeOutcome,
    SaveResult,
)
from labctl.report.paint import Paint, clean, count, duration


def failed_lines(outcome: NodeOutcome, paint: Paint) -> list[str]:
    """A node that failed: where, why, and its last console lines."""
    if outcome.error is None:
        return []
    where = f" in phase {outcome.phase}" if outcome.phase else ""
    after = duration(outcome.seconds)
    head = f"{paint('bad', outcome.node)} failed ({outcome.action}{where}, after {after})"
    lines = [f"{head}: {clean(outcome.error.brief)}"]
    lines += [f"    {clean(line)}" for line in outcome.error.details.splitlines()]
    if outcome.tail:
        lines.append("  its console said last:")
        lines += [f"    | {clean(line)}" for line in outcome.tail]
    if outcome.error.resolution:
        lines.append(f"  next: {clean(outcome.error.resolution)}")
    return lines


def down_lines(result: DownResult, paint: Paint) -> list[str]:
    """How many machines are off, and which would not stop."""
    lines = [line for outcome in result.failed for line in failed_lines(outcome, paint)]
    stopped = len(result.outcomes) - len(result.failed)
    lines.append(
        f"{result.lab}: {count(stopped, 'node')} off after {duration(result.seconds)}, "
        f"disks kept; `labctl up {result.lab}` starts them again"
    )
    return lines


def belongings_lines(owned: Belongings, paint: Paint) -> list[str]:
    """What destroy is going to remove."""
    lines = [paint("bold", f"destroy {owned.lab} removes:")]
    if owned.domains:
        lines.append(f"  {count(len(owned.domains), 'machine')} with their disks:")
        lines += [f"    {name}" for name in sorted(owned.domains)]
    lines += [f"  network {name}" for name in owned.networks]
    if owned.snapshots:
        lines.append(f"  {count(len(owned.snapshots), 'snapshot')}: {', '.join(owned.snapshots)}")
    if owned.folder:
        lines.append(f"  folder {owned.folder}")
    return lines


def destroy_lines(result: DestroyResult, _paint: Paint) -> list[str]:
    """What destroy removed."""
    removed = result.removed
    if removed.empty:
        return [_nothing(result)]
    parts = [count(len(removed.domains), "machine"), count(len(removed.networks), "network")]
    return [
        f"{result.lab}: destroyed in {duration(result.seconds)} "
        f"({', '.join(parts)} and all its files; golden images stay)"
    ]


def _nothing(result: DestroyResult) -> str:
    close = difflib.get_close_matches(result.lab, result.others, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    here = ", ".join(result.others) or "none"
    return f"{result.lab}: nothing to destroy, no such lab is here{hint} (labs here: {here})"


def save_lines(result: SaveResult, paint: Paint) -> list[str]:
    """Which files were written, which nodes have no configuration to save."""
    lines = [line for outcome in result.outcomes for line in failed_lines(outcome, paint)]
    lines += [str(path) for path in result.files]
    if result.skipped:
        lines.append(f"no configuration of their own: {', '.join(result.skipped)}")
    return lines


def link_lines(result: LinkResult, paint: Paint) -> list[str]:
    """The end's state before and after."""
    now = paint("good", "up") if result.is_up else paint("bad", "down")
    if result.was_up == result.is_up:
        return [f"{result.end} was {now} already"]
    return [f"{result.end} is {now}"]
