"""labctl image convert"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.image_list import Name
from labctl.cli.output import show
from labctl.cli.session import telling


class Target(StrEnum):
    """The formats an image can be written as."""

    VMDK = "vmdk"
    RAW = "raw"
    QCOW2 = "qcow2"


def convert_image(
    ctx: typer.Context,
    name: Name,
    to: Annotated[Target, typer.Option("--to", help="The format.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The new file.")],
    subformat: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Of a vmdk: monolithicSparse [default] or streamOptimized."
        ),
    ] = "",
    compress: Annotated[
        bool, typer.Option("--compress", help="Compress it (qcow2; streamOptimized always is).")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    as_json: options.Json = False,
) -> None:
    """Write an image as vmdk, raw or qcow2; FILE appears whole and proved the same, or not at all.

    For a vmdk of a Nexus it says what a machine on ESXi must have.
    """
    from labctl.ops.image_convert import Form, convert_image
    from labctl.report.image_convert import converted_lines

    form = Form(to.value, subformat, compress)
    left = f"conversion of {name} was interrupted; {output} was not written"
    with telling(ctx, as_json=as_json, left=left) as context:
        done = convert_image(context, name, form, output, force=force)
    show(done, lambda paint: converted_lines(done, paint), as_json=as_json)
