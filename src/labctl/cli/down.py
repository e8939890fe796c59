"""labctl down"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.failure import failure_of
from labctl.cli.output import show
from labctl.cli.session import changing


def command(
    ctx: typer.Context,
    lab: options.Lab,
    node: options.Nodes = None,
    force: Annotated[
        bool, typer.Option("--force", help="Cut the power instead of pressing the button.")
    ] = False,
    save: Annotated[
        bool,
        typer.Option(
            "--save",
            help="Have each node save its running configuration on itself first (`copy "
            "running-config startup-config`, `write memory`); one that fails is not stopped.",
        ),
    ] = False,
    as_json: options.Json = False,
) -> int:
    """Stop a lab's machines and keep their disks; `labctl up` starts them again."""
    from labctl.ops.down import down
    from labctl.report.lifecycle import down_lines

    with changing(ctx, lab, as_json=as_json) as context:
        result = down(context, lab, nodes=node or (), force=force, save=save)
    show(result, lambda paint: down_lines(result, paint), as_json=as_json)
    return failure_of(outcome.error for outcome in result.outcomes)
