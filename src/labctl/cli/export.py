"""labctl export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import changing


def command(
    ctx: typer.Context,
    lab: options.Lab,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    snapshot: Annotated[
        str,
        typer.Option(metavar="NAME", help="With this snapshot: disks, and memory if it has any."),
    ] = "",
    with_images: Annotated[
        bool, typer.Option("--with-images", help="With the golden images, not their digests alone.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    as_json: options.Json = False,
) -> None:
    """Write a lab to one file for `labctl import-lab` on another host; the lab runs on.

    Without --snapshot the file holds the topology and the rendered configurations: the lab is
    built anew from it. With --snapshot it goes on there as it was. The file holds what memory and
    disks hold, passwords among it: only its owner may read it.
    """
    from labctl.ops.export import export
    from labctl.report.archive import export_lines

    with changing(ctx, lab, as_json=as_json) as context:
        result = export(context, lab, file, snapshot=snapshot, with_images=with_images, force=force)
    show(result, lambda paint: export_lines(result, paint), as_json=as_json)
