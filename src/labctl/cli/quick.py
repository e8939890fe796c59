"""A few commands without typer, whose import takes longer than what they do.

Only their plain forms are understood here; every other command line, wrong ones and --help
included, is left to typer, which knows the same commands and has them done here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Asked(NamedTuple):
    """A command, the connection it was given, its arguments, and the form of the answer."""

    command: str
    uri: str | None
    arguments: tuple[str, ...]
    as_json: bool


_ARGUMENTS = {"status": (0, 1), "validate": (1,), "render": (2,)}
"""How many arguments each takes."""


def parse(argv: Sequence[str]) -> Asked | None:
    """What is asked for by `[-c URI] COMMAND [ARGUMENT...] [--json]`; None for anything else."""
    words = list(argv)
    uri = None
    if len(words) > 1 and words[0] in ("-c", "--connect"):
        uri = words[1]
        del words[:2]
    command, *words = words or [""]
    arguments = [word for word in words if word != "--json"]
    plain = all(word == "-" or not word.startswith("-") for word in arguments)
    if not plain or len(arguments) not in _ARGUMENTS.get(command, ()):
        return None
    return Asked(command, uri, tuple(arguments), as_json=len(words) > len(arguments))


def run(asked: Asked) -> int:
    """Do what is asked; the exit code."""
    if asked.command == "status":
        status(asked.uri, next(iter(asked.arguments), None), as_json=asked.as_json)
    elif asked.command == "validate":
        validate(*asked.arguments, as_json=asked.as_json)
    else:
        render(asked.uri, *asked.arguments, as_json=asked.as_json)
    return 0


def status(uri: str | None, lab: str | None, *, as_json: bool) -> None:
    """Show labs and nodes."""
    from labctl.cli.output import show
    from labctl.cli.session import reading
    from labctl.ops.status import status as look
    from labctl.report.status import status_lines

    labs = look(reading(uri), lab)
    show({"labs": labs}, lambda paint: status_lines(labs, paint), as_json=as_json)


def validate(ref: str, *, as_json: bool) -> None:
    """Say whether a topology file is right."""
    from labctl.cli.output import show
    from labctl.cli.session import home
    from labctl.ops.load import load_lab
    from labctl.report.lab import lab_data, lab_lines

    lab = load_lab(ref, home())
    show(lab_data(lab), lambda paint: lab_lines(lab, paint), as_json=as_json)


def render(uri: str | None, lab: str, name: str, *, as_json: bool) -> None:
    """Write a lab's XML and configurations to the folder of that name."""
    from pathlib import Path

    from labctl.cli.output import show
    from labctl.cli.session import reading
    from labctl.ops.render import render as write
    from labctl.report.paint import count

    folder = Path(name)
    files = write(reading(uri), lab, folder)
    lines = [f"wrote {count(len(files), 'file')} to {folder}"]
    show({"folder": folder, "files": files}, lambda _paint: lines, as_json=as_json)
