"""labctl plan"""

from __future__ import annotations

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import reading, settings


def command(
    ctx: typer.Context,
    lab: options.Lab,
    node: options.Nodes = None,
    as_json: options.Json = False,
) -> None:
    """Show what `up` would do to each node and why, changing nothing."""
    from labctl.ops.plan import plan
    from labctl.report.plan import plan_lines

    result = plan(reading(settings(ctx).uri), lab, nodes=node or ())
    show(result, lambda paint: plan_lines(result, paint), as_json=as_json)
