"""How far a long stream of bytes has come, told in tenths; and where an interrupt ends it."""

from __future__ import annotations

import time

from labctl.errors import Interrupted
from labctl.ops.context import Context
from labctl.ops.events import StepDone

_TENTHS = 10
_QUIET_SECONDS = 2.0
"""What is over sooner needs no progress."""


class Meter:
    """Called with the number of bytes that went through; `total` is what there will be."""

    def __init__(self, ctx: Context, step: str, total: int) -> None:
        self._ctx = ctx
        self._step = step
        self._total = max(total, 1)
        self._done = 0
        self._told = 0
        self._started = time.monotonic()

    def __call__(self, size: int) -> None:
        """Count `size` bytes more. Raises Interrupted after a Ctrl-C."""
        if self._ctx.interrupt.is_set():
            raise Interrupted(f"{self._step} was interrupted")
        self._done += size
        tenths = self._done * _TENTHS // self._total
        seconds = time.monotonic() - self._started
        if tenths > self._told and seconds > _QUIET_SECONDS:
            self._told = tenths
            note = f"{self._done / 1024**2:,.0f} of {self._total / 1024**2:,.0f} MiB"
            self._ctx.emit(StepDone(f"{self._step} {tenths}0 %", seconds, note=note))
