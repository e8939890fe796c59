"""The file against the host: every finding, nothing changed."""

from __future__ import annotations

import contextlib

from labctl.model.finding import PreflightReport
from labctl.ops.context import Context
from labctl.ops.load import load_lab
from labctl.ops.survey import survey


def run(ctx: Context, ref: str) -> PreflightReport:
    """What `up` would find before it touches anything.

    Raises UsageError, TopologyError, HypervisorError; a refusal is in the report.
    """
    lab = load_lab(ref, ctx.home)
    with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        return survey(ctx, hypervisor, lab).report
