"""Make a lab, or some of its nodes, anew from golden images: same names, MACs, addresses."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.ops.context import Context
from labctl.ops.results import UpResult
from labctl.ops.up import Options, bring_up


def rebuild(
    ctx: Context,
    ref: str,
    *,
    nodes: Sequence[str] = (),
    wait: bool = True,
    verify: bool = True,
    max_parallel: int | None = None,
    cold: bool = False,
) -> UpResult:
    """Like up, but every node (or each of `nodes`) gets a fresh overlay and day-0."""
    options = Options(nodes, tuple(nodes), wait, verify and wait, max_parallel, cold=cold)
    return bring_up(ctx, ref, options)
