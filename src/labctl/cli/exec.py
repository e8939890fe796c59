"""labctl exec"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.failure import failure_of
from labctl.cli.output import show
from labctl.cli.session import asking
from labctl.errors import ExitCode


def command(
    ctx: typer.Context,
    lab: options.Lab,
    words: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND...", help="The command, with its own options."),
    ],
    node: options.Nodes = None,
    shell: Annotated[
        bool, typer.Option("--shell", help="Use the guest's shell on switches too.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Longest a node may take.")
    ] = 60.0,
    as_json: options.Json = False,
) -> int:
    """Run a command on nodes: the device's own CLI on switches, the shell on hosts.

    As with ssh, the words are joined by blanks and parsed there, not here; labctl's own options
    stand before the first of them. Exit code 7 where the command failed on a node; with --json
    its own code is `returncode`.
    """
    from labctl.ops.exec import execute
    from labctl.report.execs import exec_lines

    results = execute(
        asking(ctx, as_json=as_json),
        lab,
        " ".join(words),
        nodes=node or (),
        shell=shell,
        deadline=timeout,
    )
    show({"results": results}, lambda paint: exec_lines(results, paint), as_json=as_json)
    if any(result.error is None and result.returncode for result in results):
        return ExitCode.NODES_FAILED
    return failure_of(result.error for result in results)
