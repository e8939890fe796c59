"""labctl snapshot: a whole lab at one instant"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import say, show, wants_colour
from labctl.cli.session import asking, changing
from labctl.cli.snapshot_restore import restore_snapshot
from labctl.errors import UsageError
from labctl.report.paint import Paint

Name = Annotated[str, typer.Argument(metavar="NAME", help="The snapshot's name.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="The snapshots' names.")]


def create_snapshot(
    ctx: typer.Context,
    lab: options.Lab,
    name: Name,
    description: Annotated[
        str, typer.Option("--description", "-d", metavar="TEXT", help="What it is good for.")
    ] = "",
    disk_only: Annotated[
        bool,
        typer.Option("--disk-only", help="Leave the memory out: as after a power cut."),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Keep the whole lab, memory and disks, as it is at one instant; it runs on."""
    from labctl.ops.snapshot_create import create
    from labctl.report.snapshot import create_lines

    with changing(ctx, lab, as_json=as_json) as context:
        result = create(context, lab, name, description=description, disk_only=disk_only)
    show(result, lambda paint: create_lines(result, paint), as_json=as_json)


def list_snapshots(ctx: typer.Context, lab: options.Lab, as_json: options.Json = False) -> None:
    """List a lab's snapshots as a tree, and foreign ones that libvirt knows of."""
    from labctl.ops.snapshot_list import list_snapshots
    from labctl.report.snapshot import list_lines

    result = list_snapshots(asking(ctx, as_json=as_json), lab)
    show(result, lambda paint: list_lines(result, paint), as_json=as_json)


def show_snapshot(
    ctx: typer.Context, lab: options.Lab, name: Name, as_json: options.Json = False
) -> None:
    """Show one snapshot, and what differs from the lab as it is now."""
    from labctl.ops.snapshot_show import show as look
    from labctl.report.snapshot import show_lines

    result = look(asking(ctx, as_json=as_json), lab, name)
    show(result, lambda paint: show_lines(result, paint), as_json=as_json)


def delete_snapshots(
    ctx: typer.Context,
    lab: options.Lab,
    names: Names,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Those that the file protects, too.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Delete snapshots; the lab runs on, and others stay as they are."""
    from labctl.ops.snapshot_delete import deletable, delete
    from labctl.report.snapshot import delete_lines, doomed_lines

    chosen = deletable(asking(ctx, as_json=as_json), lab, names, force=force)
    if not as_json:
        say(doomed_lines(lab, chosen, Paint(wants_colour(sys.stderr))))
    if not yes:
        _confirm(lab, names)
    with changing(ctx, lab, as_json=as_json) as context:
        result = delete(context, lab, names, force=force)
    show(result, lambda paint: delete_lines(result, paint), as_json=as_json)


def prune_snapshots(
    ctx: typer.Context,
    lab: options.Lab,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted, delete nothing.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Delete what the `snapshots:` policy of the topology file does not keep."""
    from labctl.ops.snapshot_delete import prune
    from labctl.report.snapshot import prune_lines

    with changing(ctx, lab, as_json=as_json) as context:
        result = prune(context, lab, dry_run=dry_run)
    show(result, lambda paint: prune_lines(result, paint), as_json=as_json)


COMMANDS = {
    "create": create_snapshot,
    "list": list_snapshots,
    "show": show_snapshot,
    "restore": restore_snapshot,
    "delete": delete_snapshots,
    "prune": prune_snapshots,
}


def _confirm(lab: str, names: list[str]) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            f"deleting snapshots of {lab} needs a yes, and there is no terminal to ask on",
            resolution=f"labctl snapshot delete {lab} {' '.join(names)} --yes",
        )
    typer.confirm("Delete?", abort=True, err=True)
