"""labctl image salvage"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import telling


def salvage_image(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="NAME|CASE|FILE", help="An image of the store, a quarantine case, or a file."
        ),
    ],
    name: Annotated[
        str, typer.Option("--name", "-o", metavar="NEW", help="What the rescued image is called.")
    ],
    as_json: options.Json = False,
) -> None:
    """Rescue what can be read of a damaged image into a new one, and say what was lost.

    The damaged file is only read. A chain of any depth is made one file. Unless it was whole, what
    comes of it is never called pristine again, under whatever name it is imported.
    """
    from labctl.ops.salvage import salvage
    from labctl.report.salvage import salvaged_data, salvaged_lines

    left = f"salvage of {what} was interrupted; no image {name} was made, and {what} is untouched"
    with telling(ctx, as_json=as_json, left=left) as context:
        found = salvage(context.home, what, name, emit=context.emit)
    show(salvaged_data(found), lambda paint: salvaged_lines(found, paint), as_json=as_json)
