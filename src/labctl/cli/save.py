"""labctl save"""

from __future__ import annotations

import typer

from labctl.cli import options
from labctl.cli.failure import failure_of
from labctl.cli.output import show
from labctl.cli.session import asking


def command(
    ctx: typer.Context,
    lab: options.Lab,
    folder: options.Folder,
    node: options.Nodes = None,
    as_json: options.Json = False,
) -> int:
    """Write the nodes' running configurations to a folder, cleaned of what changes by itself."""
    from labctl.ops.save import save
    from labctl.report.lifecycle import save_lines

    result = save(asking(ctx, as_json=as_json), lab, folder, nodes=node or ())
    show(result, lambda paint: save_lines(result, paint), as_json=as_json)
    return failure_of(outcome.error for outcome in result.outcomes)
