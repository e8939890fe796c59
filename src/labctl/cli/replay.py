"""labctl replay"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.errors import UsageError

if TYPE_CHECKING:
    from labctl.model.platform import Platform


def command(
    log: Annotated[
        str, typer.Argument(metavar="LOG", help="A recorded console; - reads standard input.")
    ],
    platform: Annotated[
        str, typer.Option(metavar="NAME", help="The device family whose console it is.")
    ],
    as_json: options.Json = False,
) -> None:
    """Feed a saved console log to a platform's boot watcher: phases, prompts, faults, where it
    hung. No machine is touched, nothing is answered.
    """
    from labctl.ops.replay import replay
    from labctl.report.replay import replay_data, replay_lines

    family = _family(platform)
    try:
        with _open(log) as stream:
            result = replay(stream, family)
    except OSError as error:
        raise UsageError(
            f"can't read the log {log}", details=error.strerror or str(error)
        ) from None
    show(replay_data(result), lambda paint: replay_lines(result, paint), as_json=as_json)


def _family(name: str) -> Platform:
    from labctl.topology.platforms import load_platforms
    from labctl.topology.suggest import suggest

    platforms = load_platforms()
    if name not in platforms:
        raise UsageError(f"there is no platform {name!r}", details=suggest(name, platforms))
    return platforms[name]


def _open(log: str) -> AbstractContextManager[BinaryIO]:
    if log == "-":
        return nullcontext(sys.stdin.buffer)
    return Path(log).open("rb")
