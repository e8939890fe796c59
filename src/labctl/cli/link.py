"""labctl link"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import reading, settings


class State(StrEnum):
    """What to do with the cable."""

    UP = "up"
    DOWN = "down"


def command(
    ctx: typer.Context,
    lab: options.Lab,
    end: Annotated[str, typer.Argument(metavar="NODE:INTERFACE", help="The end of the link.")],
    state: Annotated[
        State, typer.Argument(metavar="up|down", help="Plug the cable in, or pull it.")
    ],
    as_json: options.Json = False,
) -> None:
    """Pull or plug a cable at one end; the device sees its carrier change."""
    from labctl.ops.link import set_link
    from labctl.report.lifecycle import link_lines

    result = set_link(reading(settings(ctx).uri), lab, end, up=state is State.UP)
    show(result, lambda paint: link_lines(result, paint), as_json=as_json)
