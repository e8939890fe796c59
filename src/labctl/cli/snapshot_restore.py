"""labctl snapshot restore"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import say, show
from labctl.cli.session import changing, reading, settings
from labctl.errors import UsageError
from labctl.report.paint import clean


def restore_snapshot(
    ctx: typer.Context,
    lab: options.Lab,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The snapshot to go back to.")],
    safety: Annotated[
        bool,
        typer.Option("--safety/--no-safety", help="Keep the present as a snapshot before."),
    ] = True,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Don't ask before what can't be kept, or is not to be, is lost."
        ),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Take the whole lab back to a snapshot: disks, memory, cables, all at one instant.

    Everything is proved to be whole and to fit before anything changes.
    """
    from labctl.ops.restore import restore
    from labctl.report.restore import restore_lines

    lossy = yes
    if not yes and sys.stdin.isatty():
        lossy = _confirm_lost(ctx, lab, name) if safety else _confirm(lab)
    elif not yes and not safety:
        raise _unasked(lab, name)
    with changing(ctx, lab, as_json=as_json) as context:
        result = restore(context, lab, name, safety=safety, lossy=lossy)
    show(result, lambda paint: restore_lines(result, paint), as_json=as_json)


def _confirm(lab: str) -> bool:
    return typer.confirm(f"Replace the present state of {lab} for good?", abort=True, err=True)


def _confirm_lost(ctx: typer.Context, lab: str, name: str) -> bool:
    """Ask where nodes can't be kept; False when there is nothing to ask."""
    from labctl.ops.present import lost

    unkept = lost(reading(settings(ctx).uri), lab, name)
    if not unkept:
        return False
    say([f"the present of {node} can't be kept: {clean(why)}" for node, why in unkept.items()])
    asked = f"Replace the present state of {', '.join(unkept)} for good?"
    return typer.confirm(asked, abort=True, err=True)


def _unasked(lab: str, name: str) -> UsageError:
    return UsageError(
        f"restoring {name} without a safety snapshot needs a yes, and there is no terminal "
        "to ask on",
        resolution=f"labctl snapshot restore {lab} {name} --no-safety --yes",
    )
