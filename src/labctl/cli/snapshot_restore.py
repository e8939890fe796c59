"""labctl snapshot restore"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import changing
from labctl.errors import UsageError


def restore_snapshot(
    ctx: typer.Context,
    lab: options.Lab,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The snapshot to go back to.")],
    safety: Annotated[
        bool,
        typer.Option("--safety/--no-safety", help="Keep the present as a snapshot before."),
    ] = True,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Don't ask before the present is lost.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Take the whole lab back to a snapshot: disks, memory, cables, all at one instant.

    Everything is proved to be whole and to fit before anything changes.
    """
    from labctl.ops.restore import restore
    from labctl.report.restore import restore_lines

    if not safety and not yes:
        _confirm(lab, name)
    with changing(ctx, lab, as_json=as_json) as context:
        result = restore(context, lab, name, safety=safety)
    show(result, lambda paint: restore_lines(result, paint), as_json=as_json)


def _confirm(lab: str, name: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            f"restoring {name} without a safety snapshot needs a yes, and there is no terminal "
            "to ask on",
            resolution=f"labctl snapshot restore {lab} {name} --no-safety --yes",
        )
    typer.confirm(f"Replace the present state of {lab} for good?", abort=True, err=True)
