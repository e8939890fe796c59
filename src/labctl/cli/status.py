"""labctl status"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import reading


def command(
    ctx: typer.Context,
    lab: Annotated[
        str | None, typer.Argument(metavar="[LAB]", help="One lab; all of them if left out.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show labs and nodes as they are: state, boot phase, age, problems."""
    from labctl.ops.status import status
    from labctl.report.status import status_lines

    labs = status(reading(ctx), lab)
    show({"labs": labs}, lambda paint: status_lines(labs, paint), as_json=as_json)
