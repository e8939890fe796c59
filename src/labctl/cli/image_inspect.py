"""labctl image inspect"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import telling
from labctl.errors import ExitCode


def inspect_image(
    ctx: typer.Context,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A name in the store, or any disk image's path.")
    ],
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Read the disk's file systems too; slow where KVM is dead."),
    ] = False,
    as_json: options.Json = False,
) -> int:
    """Look into an image without changing a byte: chain, damage, origin, boot entries, logs.

    Exit code 5 when it is damaged or can't boot here, 0 for any other verdict.
    """
    from labctl.model.inspection import Verdict
    from labctl.ops.inspect import inspect
    from labctl.report.inspect import inspection_lines

    left = f"inspection of {image} was interrupted; nothing was changed"
    with telling(ctx, as_json=as_json, left=left) as context:
        done = inspect(context, image, deep)
    show(done, lambda paint: inspection_lines(done, paint), as_json=as_json)
    unfit = done.verdict in (Verdict.DAMAGED, Verdict.NOT_BOOTABLE)
    return ExitCode.IMAGE if unfit else ExitCode.DONE
