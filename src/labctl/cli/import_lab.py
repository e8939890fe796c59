"""labctl import-lab"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import changing
from labctl.errors import ExitCode


def command(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `labctl export` wrote.")],
    no_start: Annotated[
        bool, typer.Option("--no-start", help="Put all in place and leave it off.")
    ] = False,
    verify: options.Verify = True,
    as_json: options.Json = False,
) -> int:
    """Bring an exported lab up on this host, once every digest in the file is proved.

    A lab with saved memory goes on where it was, all nodes at one instant; any other one boots.
    The golden images must be in the store here, by digest, or in the file.
    """
    from labctl.cli.up import exit_of, finish
    from labctl.ops.import_lab import import_lab
    from labctl.report.archive import import_data, import_lines

    with changing(ctx, str(file), as_json=as_json) as context:
        result = import_lab(context, file, start=not no_start, verify=verify)
    show(
        import_data(result) if as_json else result,
        lambda paint: import_lines(result, paint),
        as_json=as_json,
    )
    if result.up is None:
        return result.verify.exit_code if result.verify else ExitCode.DONE
    return exit_of(result.up) if as_json else finish(result.up, result.lab, as_json=False)
