"""labctl render"""

from __future__ import annotations

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import reading, settings


def command(
    ctx: typer.Context, lab: options.Lab, folder: options.Folder, as_json: options.Json = False
) -> None:
    """Write every node's domain XML and configuration to a folder; needs no libvirt."""
    from labctl.ops.render import render
    from labctl.report.paint import count

    files = render(reading(settings(ctx).uri), lab, folder)
    lines = [f"wrote {count(len(files), 'file')} to {folder}"]
    show({"folder": folder, "files": files}, lambda _paint: lines, as_json=as_json)
