"""labctl rebuild"""

from __future__ import annotations

import typer

from labctl.cli import options
from labctl.cli.session import changing
from labctl.cli.up import finish


def command(
    ctx: typer.Context,
    lab: options.Lab,
    node: options.Nodes = None,
    wait: options.Wait = True,
    verify: options.Verify = True,
    max_parallel: options.MaxParallel = None,
    cold: options.Cold = False,
    as_json: options.Json = False,
) -> int:
    """Make nodes anew from their golden image: same names, UUIDs, MACs and addresses.

    What was changed on them by hand is lost; `labctl save` keeps it.
    """
    from labctl.ops.rebuild import rebuild

    with changing(ctx, lab, as_json=as_json) as context:
        result = rebuild(
            context,
            lab,
            nodes=node or (),
            wait=wait,
            verify=verify,
            max_parallel=max_parallel,
            cold=cold,
        )
    return finish(result, lab, as_json=as_json)
