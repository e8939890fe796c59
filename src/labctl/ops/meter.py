"""How far a long stream of bytes has come, and where an interrupt ends it."""

from __future__ import annotations

from labctl.errors import Interrupted
from labctl.ops.context import Context
from labctl.ops.events import Progress

_STEP = 16 * 1024 * 1024
"""Bytes from one telling to the next."""


class Meter:
    """Called with the number of bytes that went through; `total` is what there will be.

    `step` is pack or unpack: an archive.
    """

    def __init__(self, ctx: Context, step: str, total: int) -> None:
        self._ctx = ctx
        self._step = step
        self._total = total
        self._done = 0
        self._told = 0

    def __call__(self, size: int) -> None:
        """Count `size` bytes more. Raises Interrupted after a Ctrl-C."""
        if self._ctx.interrupt.is_set():
            raise Interrupted(
                f"interrupted while the archive was {self._step}ed: nothing of it is left"
            )
        self._done += size
        if self._done - self._told >= _STEP or self._done == self._total > _STEP:
            self._told = self._done
            self._ctx.emit(Progress(self._step, self._done, self._total))
