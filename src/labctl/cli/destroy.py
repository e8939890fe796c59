"""labctl destroy"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.cli import options
from labctl.cli.output import say, show, wants_colour
from labctl.cli.session import changing, reading, settings
from labctl.errors import UsageError
from labctl.report.paint import Paint

if TYPE_CHECKING:
    from labctl.ops.results import Belongings


def command(
    ctx: typer.Context,
    lab: options.Lab,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: options.Json = False,
) -> None:
    """Remove everything a lab owns: machines, disks, network, files. Golden images stay."""
    from labctl.ops.destroy import belongings, destroy
    from labctl.report.lifecycle import destroy_lines

    owned = belongings(reading(settings(ctx).uri), lab)
    if not owned.empty:
        _announce(owned, as_json=as_json)
        if not yes:
            _confirm(owned)
    with changing(ctx, lab, as_json=as_json) as context:
        result = destroy(context, lab)
    show(result, lambda paint: destroy_lines(result, paint), as_json=as_json)


def _announce(owned: Belongings, *, as_json: bool) -> None:
    from labctl.report.lifecycle import belongings_lines

    if not as_json:
        say(belongings_lines(owned, Paint(wants_colour(sys.stderr))))


def _confirm(owned: Belongings) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            f"destroying {owned.lab} needs a yes, and there is no terminal to ask on",
            resolution=f"labctl destroy {owned.lab} --yes",
        )
    typer.confirm(f"Destroy {owned.lab}?", abort=True, err=True)
