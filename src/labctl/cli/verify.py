"""labctl verify"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import asking


def command(
    ctx: typer.Context,
    lab: options.Lab,
    saved: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Read saved show output; no lab need run."),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="Look again while that may help, this long at most."
        ),
    ] = 0.0,
    as_json: options.Json = False,
) -> int:
    """Compare what the file wants with what the devices say; exit code 9 when unhealthy.

    An unhealthy fabric is reported with its probable cause and the node to blame.
    """
    from labctl.ops.verify import verify_from, verify_live
    from labctl.report.verify import verify_lines

    context = asking(ctx, as_json=as_json)
    if saved is None:
        report = verify_live(context, lab, wait=wait)
    else:
        report = verify_from(context, lab, saved)
    show(report, lambda paint: verify_lines(report, paint), as_json=as_json)
    return report.exit_code
