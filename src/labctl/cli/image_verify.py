"""labctl image verify"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import telling
from labctl.errors import ExitCode, UsageError


def verify_images(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="All images if left out.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All images, said aloud; not with a NAME.")
    ] = False,
    as_json: options.Json = False,
) -> int:
    """Read images whole and compare them with their digests; exit code 5 when one is damaged.

    Of a damaged one it says which nodes of which labs stand on it, and what to do.
    """
    from labctl.ops.integrity import verify_images
    from labctl.report.integrity import verified_data, verified_lines

    if names and everything:
        raise UsageError("--all and names of images", resolution="give one or the other")
    with telling(ctx, as_json=as_json) as context:
        found = verify_images(context.home, names or (), context.emit)
    show(verified_data(found), lambda paint: verified_lines(found, paint), as_json=as_json)
    return ExitCode.IMAGE if any(one.problems for one in found) else ExitCode.DONE
