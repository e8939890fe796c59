"""What up would do and why, changing nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from labctl.ops.context import Context
from labctl.ops.load import load_lab
from labctl.ops.survey import survey
from labctl.ops.target import check_nodes
from labctl.plan.model import Plan


def plan(ctx: Context, ref: str, *, nodes: Sequence[str] = ()) -> Plan:
    """The plan. Raises like up, PreflightRefused among others."""
    lab = load_lab(ref, ctx.home)
    check_nodes(lab.name, nodes, {node.name: node for node in lab.nodes})
    with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        return survey(ctx, hypervisor, lab).plan(only=nodes)
