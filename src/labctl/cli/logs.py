"""labctl logs"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import print_bytes
from labctl.cli.session import reading, settings


def command(
    ctx: typer.Context,
    lab: options.Lab,
    node: options.Node,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as the node writes; Ctrl-C ends.")
    ] = False,
    lines: Annotated[
        int | None, typer.Option("--lines", "-l", min=1, metavar="N", help="Only the last N lines.")
    ] = None,
) -> None:
    """Show what a node has written to its serial console since its machine was started."""
    from labctl.ops.logs import follow as read

    for data in read(reading(settings(ctx).uri), lab, node, lines=lines, follow=follow):
        print_bytes(data)
