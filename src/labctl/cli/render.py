"""labctl render"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli import options, quick
from labctl.cli.session import settings
from labctl.errors import UsageError


def command(
    ctx: typer.Context,
    lab: options.Lab,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="The folder to write to.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="The same.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Write every node's domain XML and configuration to a folder; needs no libvirt."""
    folders = [given for given in (folder, output) if given is not None]
    if len(folders) != 1:
        raise UsageError(
            "one folder to write to is needed",
            resolution=f"labctl render {lab} FOLDER",
        )
    quick.render(settings(ctx).uri, lab, str(folders[0]), as_json=as_json)
