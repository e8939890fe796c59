"""labctl image import"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import telling


def import_image(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A qcow2, raw, vmdk or ova file; it is copied.")
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="[default: FILE's name without its ending]")
    ] = "",
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Make one disk of FILE and all that it stands on.")
    ] = False,
    disk: Annotated[
        str, typer.Option(metavar="MEMBER", help="The disk to take from an ova of several.")
    ] = "",
    as_json: options.Json = False,
) -> None:
    """Take a disk into the store, by content; running nodes keep the one they stand on.

    A qcow2 file is copied as it is, others are converted. It is checked, hashed and compared with
    what is published. Run it again after a kill: it goes on with what was done.
    """
    from labctl.ops.image_import import import_image
    from labctl.report.image import imported_data, imported_lines

    left = f"import of {file} was interrupted; the same command goes on from there"
    with telling(ctx, as_json=as_json, left=left) as context:
        image, relatives = import_image(
            context, file, name or file.stem, flatten=flatten, member=disk
        )
    show(
        imported_data(image, relatives),
        lambda paint: imported_lines(image, relatives, paint),
        as_json=as_json,
    )
