"""`labctl status` without typer, whose import takes longer than all that status does.

Only the plain forms are understood here; every other command line, wrong ones and --help
included, is left to typer, which knows the same command from labctl.cli.status.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Asked(NamedTuple):
    """A request for status: the connection, one lab or None for all, and the form of the answer."""

    uri: str | None
    lab: str | None
    as_json: bool


def parse(argv: Sequence[str]) -> Asked | None:
    """What is asked for by `[-c URI] status [LAB] [--json]`; None for anything else."""
    words = list(argv)
    uri = None
    if len(words) > 1 and words[0] in ("-c", "--connect"):
        uri = words[1]
        del words[:2]
    if not words or words.pop(0) != "status":
        return None
    as_json = "--json" in words
    labs = [word for word in words if word != "--json"]
    if len(labs) > 1 or any(lab.startswith("-") for lab in labs):
        return None
    return Asked(uri, labs[0] if labs else None, as_json)


def status(asked: Asked) -> int:
    """Show labs and nodes; the exit code."""
    from labctl.cli.output import show
    from labctl.cli.session import reading
    from labctl.ops.status import status as look
    from labctl.report.status import status_lines

    labs = look(reading(asked.uri), asked.lab)
    show({"labs": labs}, lambda paint: status_lines(labs, paint), as_json=asked.as_json)
    return 0
