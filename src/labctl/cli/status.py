"""labctl status"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli import options, quick
from labctl.cli.session import settings


def command(
    ctx: typer.Context,
    lab: Annotated[
        str | None, typer.Argument(metavar="[LAB]", help="One lab; all of them if left out.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show labs and nodes as they are: state, boot phase, age, problems.

    chain is how many files a node's disk stands on: 1, its golden image, unless somebody took
    external snapshots.
    """
    quick.status(settings(ctx).uri, lab, as_json=as_json)
