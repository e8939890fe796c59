"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Lab = Annotated[
    str,
    typer.Argument(
        metavar="LAB", help="A topology file, `-` for stdin, or the name of a lab that is up."
    ),
]
Node = Annotated[str, typer.Argument(metavar="NODE", help="The node's name.")]
Nodes = Annotated[
    list[str] | None,
    typer.Option("--node", "-n", metavar="NODE", help="Only this node; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait until every node's boot has ended.")
]
Verify = Annotated[
    bool, typer.Option("--verify/--no-verify", help="Check the fabric once it is up.")
]
MaxParallel = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Boot at most N nodes at once. [default: by CPUs]"),
]
Cold = Annotated[
    bool,
    typer.Option(
        "--cold", help="Boot fresh nodes even where a state kept of them could be restored."
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to write to.")]
