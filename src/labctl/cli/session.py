"""What a command works with: the settings of this run, and the context for operations."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from labctl.cli.output import wants_colour
from labctl.errors import UsageError
from labctl.report.paint import Paint

if TYPE_CHECKING:
    import typer

    from labctl.hypervisor.api import Hypervisor
    from labctl.model.paths import Home
    from labctl.ops.context import Context
    from labctl.ops.events import Event


class Settings(NamedTuple):
    """The options that stand before the command. `verbosity` is -1, 0 or 1."""

    uri: str | None = None
    verbosity: int = 0


def settings(ctx: typer.Context) -> Settings:
    """The settings of this run of labctl."""
    return ctx.find_root().ensure_object(Settings)


def home() -> Home:
    """labctl's folder: LABCTL_HOME or its default. Raises UsageError where it can be none."""
    from labctl.model.paths import Home, default_home

    folder = default_home()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise UsageError(
            f"labctl can't keep things in {folder}: {there} is no folder",
            resolution="let LABCTL_HOME name a folder, or unset it",
        )
    return Home(folder)


def reading(uri: str | None) -> Context:
    """A context for commands that change no lab: no progress, Ctrl-C simply ends them."""
    from labctl.ops.context import Context

    return Context(home=home(), uri=uri, connect=connect)


def asking(ctx: typer.Context, *, as_json: bool) -> Context:
    """As `reading`, for commands that ask nodes: it tells what they wait for."""
    from labctl.ops.context import Context
    from labctl.report.progress import waits

    chosen = settings(ctx)
    quiet = as_json or chosen.verbosity < 0
    emit = waits(sys.stderr, Paint(wants_colour(sys.stderr)), quiet=quiet)
    return Context(home=home(), uri=chosen.uri, connect=connect, emit=emit)


@contextmanager
def telling(
    ctx: typer.Context, *, as_json: bool, left: str = "interrupted; run it again to finish it"
) -> Iterator[Context]:
    """A context for long commands that change no lab: with progress.

    Ctrl-C ends them at once; `left` is what is told then.
    """
    from labctl.cli.signals import one_stage
    from labctl.errors import Interrupted
    from labctl.ops.context import Context, Interrupt
    from labctl.report.progress import progress

    interrupt = Interrupt()

    chosen = settings(ctx)
    quiet = as_json or chosen.verbosity < 0
    paint = Paint(wants_colour(sys.stderr))
    verbose = chosen.verbosity > 0
    with (
        one_stage(interrupt, left),
        progress(sys.stderr, paint, quiet=quiet, verbose=verbose) as emit,
    ):

        def unless_interrupted(event: Event) -> None:
            if interrupt.is_set():  # a thread of its own, which the main one waits for
                raise Interrupted(left)
            emit(event)

        yield Context(home=home(), uri=chosen.uri, connect=connect, emit=unless_interrupted)


@contextmanager
def changing(ctx: typer.Context, ref: str, *, as_json: bool) -> Iterator[Context]:
    """A context for commands that change a lab: with progress, and Ctrl-C in two stages."""
    from labctl.cli.signals import tell_directly, two_stages
    from labctl.ops.context import Context, Interrupt
    from labctl.ops.events import Notice
    from labctl.report.progress import progress

    interrupt = Interrupt()
    chosen = settings(ctx)
    quiet = as_json or chosen.verbosity < 0
    paint = Paint(wants_colour(sys.stderr))
    with (
        progress(sys.stderr, paint, quiet=quiet, verbose=chosen.verbosity > 0) as emit,
        two_stages(interrupt, ref, tell_directly if quiet else lambda text: emit(Notice(text))),
    ):
        yield Context(
            home=home(),
            uri=chosen.uri,
            connect=connect,
            emit=emit,
            interrupt=interrupt,
        )


def connect(uri: str | None) -> Hypervisor:
    """Open the libvirt connection, importing libvirt only now."""
    from labctl.hypervisor.connect import connect as open_connection

    return open_connection(uri)
