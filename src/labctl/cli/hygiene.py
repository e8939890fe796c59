"""labctl hygiene"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.cli import options
from labctl.cli.output import say, show, wants_colour
from labctl.cli.session import changing, reading, settings
from labctl.errors import ExitCode, UsageError
from labctl.report.paint import Paint

if TYPE_CHECKING:
    from labctl.model.hygiene import HygieneReport, Mended


def command(
    ctx: typer.Context,
    also: Annotated[
        list[str] | None,
        typer.Option("--also", metavar="URI", help="Look at this hypervisor too; may be repeated."),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Do what can lose nothing; lists it and asks.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --fix: don't ask.")] = False,
    as_json: options.Json = False,
) -> int:
    """Look over every lab, image, pool and hypervisor for what rots there.

    Chains and snapshots that others made, machines and disks nobody owns, golden images
    changed or unread, leftovers of killed runs, places filling up: each with the command that
    mends it. Exit code 9 where there is more than notes.
    """
    from labctl.ops.hygiene import hygiene
    from labctl.report.hygiene import hygiene_data, hygiene_lines, mended_lines

    if yes and not fix:
        raise UsageError("--yes goes with --fix", resolution="labctl hygiene --fix --yes")
    uris = tuple(also or ())
    context = reading(settings(ctx).uri)
    report = hygiene(context, uris)
    mended: tuple[Mended, ...] = ()
    if fix and report.mends:
        _announce(report, as_json=as_json)
        if not yes:
            _confirm()
        mended = _mend(ctx, report, uris, as_json=as_json)
        report = hygiene(context, uris)
    show(
        hygiene_data(report, mended) if as_json else report,
        lambda paint: [*mended_lines(mended, paint), *hygiene_lines(report, paint)],
        as_json=as_json,
    )
    failed = any(each.error for each in mended)
    return ExitCode.DONE if report.clean and not failed else ExitCode.UNHEALTHY


def _announce(report: HygieneReport, *, as_json: bool) -> None:
    from labctl.report.hygiene import plan_lines

    if not as_json:
        say(plan_lines(report.mends, Paint(wants_colour(sys.stderr))))


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "mending needs a yes, and there is no terminal to ask on",
            resolution="labctl hygiene --fix --yes",
        )
    typer.confirm("Do it?", abort=True, err=True)


def _mend(
    ctx: typer.Context, report: HygieneReport, also: Sequence[str], *, as_json: bool
) -> tuple[Mended, ...]:
    from labctl.ops.mend import mend_all

    with changing(ctx, "it", as_json=as_json) as context:
        return mend_all(context, report.mends, also)
