"""labctl's command line in typer: the options that stand before a command, and the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from labctl.cli.lazy import LazyGroup
from labctl.cli.session import Settings

_EPILOG = "LAB is a topology file or the name of a lab that is up. Try: labctl COMMAND --help"


def _version(asked: bool) -> None:
    if asked:
        from labctl import __version__

        typer.echo(f"labctl {__version__}")
        raise typer.Exit


def _root(
    ctx: typer.Context,
    connect: Annotated[
        str | None,
        typer.Option(
            "--connect",
            "-c",
            metavar="URI",
            help="libvirt connection. [default: $LIBVIRT_DEFAULT_URI, else qemu:///system "
            "for root and qemu:///session for others]",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, only the result.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Tell every step of every node.")
    ] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One YAML file in; a running, verified VXLAN/EVPN fabric on libvirt/KVM out."""
    ctx.obj = Settings(uri=connect, verbosity=int(verbose) - int(quiet))


def build() -> typer.Typer:
    """The application; commands are imported when they are asked for."""
    app = typer.Typer(
        cls=LazyGroup,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog=_EPILOG,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_root)
    return app


def run(argv: Sequence[str]) -> int:
    """Run one command line; the command's exit code. Raises what the command raises."""
    command = typer.main.get_command(build())
    return int(
        command.main(list(argv) or ["--help"], prog_name="labctl", standalone_mode=False) or 0
    )
