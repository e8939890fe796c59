"""labctl image quarantine"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import home, telling
from labctl.errors import UsageError

if TYPE_CHECKING:
    from labctl.ops.context import Context


def quarantine_image(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="[NAME|FILE]", help="An image of the store, or any file. Left out: list cases."
        ),
    ] = "",
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="What you know of it, kept with the case.")
    ] = "",
    tar: Annotated[
        bool, typer.Option("--tar", help="Pack the case into one file besides, to hand on.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Put a damaged image aside as evidence, sealed, where no lab can use it; or list the cases.

    An image of the store is moved out of it and its names stop working; of another file a copy is
    taken. Nothing is repaired: `labctl image salvage` works on a copy.
    """
    from labctl.ops.quarantine import case_data, cases_of, quarantine
    from labctl.report.quarantine import cases_lines, sealed_lines

    if what:
        with telling(ctx, as_json=as_json) as context:
            sealed = quarantine(
                context.home, what, note=note, tar=tar, inspection=partial(_look, context)
            )
        show(sealed, lambda paint: sealed_lines(sealed, paint), as_json=as_json)
        return
    if note or tar:
        raise UsageError(
            "nothing to put into quarantine", resolution="name an image of the store, or a file"
        )
    found = cases_of(home())
    data = {"cases": [case_data(case, folder) for case, folder in found]}
    show(data, lambda paint: cases_lines(found, paint), as_json=as_json)


def _look(context: Context, path: Path) -> dict[str, Any]:
    """What `labctl image inspect` finds, as it prints it for programs."""
    from labctl.ops.inspect import inspect
    from labctl.report.json import to_data

    found: dict[str, Any] = to_data(inspect(context, str(path)))
    return found
