"""labctl up"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labctl.cli import options
from labctl.cli.failure import failure_of
from labctl.cli.output import show
from labctl.cli.session import changing
from labctl.errors import ExitCode

if TYPE_CHECKING:
    from labctl.ops.results import UpResult


def command(
    ctx: typer.Context,
    lab: options.Lab,
    node: options.Nodes = None,
    wait: options.Wait = True,
    verify: options.Verify = True,
    max_parallel: options.MaxParallel = None,
    paused: Annotated[
        bool, typer.Option("--paused", help="Leave new machines paused at their first instruction.")
    ] = False,
    cold: options.Cold = False,
    as_json: options.Json = False,
) -> int:
    """Bring a lab up: preflight, plan, apply, wait until every node is ready, verify.

    A second run changes nothing; after a change to the file only the nodes concerned are touched.
    """
    from labctl.ops.up import up

    with changing(ctx, lab, as_json=as_json) as context:
        result = up(
            context,
            lab,
            nodes=node or (),
            wait=wait,
            verify=verify,
            max_parallel=max_parallel,
            paused=paused,
            cold=cold,
        )
    return finish(result, lab, as_json=as_json)


def finish(result: UpResult, ref: str, *, as_json: bool) -> int:
    """Show what `up` or `rebuild` of `ref` did, and find its exit code."""
    from labctl.ops.load import is_reference_to_file
    from labctl.report.up import up_data, up_lines
    from labctl.topology.platforms import load_platforms

    logins = {name: platform.console_login for name, platform in load_platforms().items()}
    file = ref if is_reference_to_file(ref) else "FILE"
    show(
        up_data(result) if as_json else result,
        lambda paint: up_lines(result, paint, logins=logins, file=file),
        as_json=as_json,
    )
    return exit_of(result)


def exit_of(result: UpResult) -> int:
    """The exit code that `up` or `rebuild` amounts to."""
    healthy = result.verify.exit_code if result.verify is not None else ExitCode.DONE
    return failure_of(outcome.error for outcome in result.outcomes) or healthy
