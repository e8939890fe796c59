"""labctl console"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import say
from labctl.cli.session import reading, settings
from labctl.errors import UsageError


def command(
    ctx: typer.Context,
    lab: options.Lab,
    node: options.Node,
    force: Annotated[
        bool, typer.Option("--force", help="Take it from whoever is attached.")
    ] = False,
) -> None:
    """Attach to a node's serial console; Ctrl-] leaves."""
    from labctl.cli.terminal import attach
    from labctl.ops.console import check_console, open_console

    context = reading(settings(ctx).uri)
    if not sys.stdin.isatty():
        check_console(context, lab, node)
        raise UsageError(
            "a console needs a terminal",
            resolution=f"labctl logs {lab} {node}, or labctl exec {lab} --node {node} COMMAND",
        )
    stream = open_console(context, lab, node, force=force)
    say([f"console of {node}; Enter wakes it, Ctrl-] leaves"])
    try:
        attach(stream, sys.stdin.fileno(), sys.stdout.fileno())
    finally:
        stream.close()
    say(["", f"left the console of {node}"])
