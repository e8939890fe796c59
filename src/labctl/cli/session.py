"""What a command works with: the context for operations, and a way to show what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

import typer

from labctl.report.paint import Paint

if TYPE_CHECKING:
    from labctl.hypervisor.api import Hypervisor
    from labctl.model.paths import Home
    from labctl.ops.context import Context

Render = Callable[[Paint], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that stand before the command. `verbosity` is -1, 0 or 1."""

    uri: str | None = None
    verbosity: int = 0


def settings(ctx: typer.Context) -> Settings:
    """The settings of this run of labctl."""
    return ctx.find_root().ensure_object(Settings)


def home() -> Home:
    """labctl's folder: LABCTL_HOME or its default."""
    from labctl.model.paths import Home, default_home

    return Home(default_home())


def show(value: object, render: Render, *, as_json: bool) -> None:
    """Print a result: one JSON document, or the lines `render` makes of it."""
    if as_json:
        from labctl.report.json import dump

        print_lines([dump(value)])
    else:
        print_lines(render(Paint(wants_colour(sys.stdout))))


def print_lines(lines: Sequence[str]) -> None:
    """Write lines to stdout at once."""
    if lines:
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def say(lines: Sequence[str]) -> None:
    """Tell the user something that is no result: on stderr."""
    if lines:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()


def wants_colour(stream: TextIO) -> bool:
    """True on a terminal, unless NO_COLOR says otherwise (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def reading(ctx: typer.Context) -> Context:
    """A context for commands that change nothing: no progress, Ctrl-C simply ends them."""
    from labctl.ops.context import Context

    return Context(home=home(), uri=settings(ctx).uri, connect=connect)


@contextmanager
def changing(ctx: typer.Context, ref: str, *, as_json: bool) -> Iterator[Context]:
    """A context for commands that change a lab: with progress, and Ctrl-C in two stages."""
    from labctl.cli.signals import two_stages
    from labctl.ops.context import Context, Interrupt
    from labctl.report.progress import progress

    interrupt = Interrupt()
    chosen = settings(ctx)
    quiet = as_json or chosen.verbosity < 0
    paint = Paint(wants_colour(sys.stderr))
    with (
        progress(sys.stderr, paint, quiet=quiet, verbose=chosen.verbosity > 0) as emit,
        two_stages(interrupt, ref),
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
