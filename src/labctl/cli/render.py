"""labctl render"""

from __future__ import annotations

import typer

from labctl.cli import options, quick
from labctl.cli.session import settings


def command(
    ctx: typer.Context, lab: options.Lab, folder: options.Folder, as_json: options.Json = False
) -> None:
    """Write every node's domain XML and configuration to a folder; needs no libvirt."""
    quick.render(settings(ctx).uri, lab, str(folder), as_json=as_json)
