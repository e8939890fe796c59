"""The recorded serial console of a node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from labctl.console.logtail import LogTail
from labctl.errors import UsageError
from labctl.ops.context import Context
from labctl.ops.target import existing

_POLL_SECONDS = 0.3


def follow(
    ctx: Context, ref: str, node: str, *, lines: int | None = None, follow: bool = False
) -> Iterator[bytes]:
    """The log's bytes: all, or the last `lines`; with `follow` also what comes, until interrupted.

    Raises UsageError when the node has no recorded console here.
    """
    with existing(ctx, ref, [node]) as target:
        log = ctx.home.lab(target.lab).node(node).console_log
    if not log.is_file():
        raise UsageError(
            f"there is no recorded console of {node} on this machine",
            details=f"looked for {log}",
            resolution=f"it is written from the machine's start on: labctl up {ref}",
        )
    return _stream(ctx, log, lines, follow)


def _stream(ctx: Context, log: Path, lines: int | None, follow: bool) -> Iterator[bytes]:
    with LogTail(log) as tail:
        text = b"".join(iter(tail.read_new, b""))
        yield text if lines is None else b"".join(text.splitlines(keepends=True)[-lines:])
        while follow and not ctx.interrupt.wait(_POLL_SECONDS):
            yield from iter(tail.read_new, b"")
