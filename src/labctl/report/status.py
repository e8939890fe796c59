"""Labs and nodes as they are, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labctl.report.paint import Cell, Paint, count, duration, size, table

if TYPE_CHECKING:
    from labctl.ops.state import LabStatus, NodeStatus, SnapshotSummary

_HEADER = ("node", "role", "platform", "state", "phase", "up", "age", "memory", "vcpus", "chain")
_STATES = {"running": "good", "crashed": "bad", "paused": "warn"}


def status_lines(labs: Sequence[LabStatus], paint: Paint) -> list[str]:
    """A table per lab, with what is wrong below it."""
    if not labs:
        return ["no labs here; `labctl up FILE` brings one up, `labctl new` writes a file"]
    return [line for lab in labs for line in _lab(lab, paint)]


def _lab(lab: LabStatus, paint: Paint) -> list[str]:
    running = sum(node.state == "running" for node in lab.nodes)
    nodes = f"{count(len(lab.nodes), 'node')}, {running} running" if lab.nodes else "not up"
    head = f"{lab.lab} on {lab.uri}: {nodes}"
    lines = [paint("bold", head)]
    if lab.nodes:
        lines += table(_HEADER, [_row(node) for node in lab.nodes], paint, indent="  ")
    for node in lab.nodes:
        lines += [f"  {paint('bad', node.node)}: {problem}" for problem in node.problems]
    if lab.home:
        lines.append(
            f"  {paint('warn', 'belongs to another LABCTL_HOME')}, {lab.home}: phases, ages and "
            f"chains are told there (`LABCTL_HOME={lab.home} labctl status {lab.lab}`)"
        )
    lines += _snapshots(lab.snapshots, paint)
    if lab.locked_by:
        lines.append(f"  {paint('warn', 'at work on it now')}: {lab.locked_by}")
    if lab.interrupted:
        lines.append(
            f"  {paint('warn', 'left unfinished')}: {lab.interrupted}; "
            "the next `labctl up` or `labctl destroy` puts it right"
        )
    return lines


def _snapshots(summary: SnapshotSummary, paint: Paint) -> list[str]:
    lines = []
    if summary.number:
        many, whose = count(summary.number, "snapshot"), "the oldest " * (summary.number > 1)
        lines.append(f"  {many}, {size(summary.size)}, {whose}{_span(summary.oldest)} old")
    if summary.unfinished:
        names = ", ".join(summary.unfinished)
        lines.append(f"  {paint('warn', 'no whole snapshot')}: {names}")
    return lines


def _row(node: NodeStatus) -> list[str | Cell]:
    depth = node.chain_depth
    return [
        node.node,
        node.role,
        node.platform,
        Cell(node.state, _STATES.get(node.state, "dim")),
        Cell(node.phase or "-", "good" if node.phase == "ready" else ""),
        _span(node.uptime),
        _span(node.age),
        f"{node.memory} MiB",
        str(node.vcpus),
        Cell("-" if depth is None else str(depth), "bad" if (depth or 0) > 1 else ""),
    ]


def _span(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)
