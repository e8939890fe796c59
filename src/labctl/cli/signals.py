"""Ctrl-C in two stages: the first ends cleanly, the second at once; both say what is left.

The signals are read from a wake-up pipe by a thread of their own, so that the second one works
even while the main thread is inside a library call that Python can't interrupt.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from labctl.errors import ExitCode, Interrupted
from labctl.ops.context import Interrupt

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_END = 0  # no signal has this number
_FIRST = "ending cleanly: what is begun is finished, nothing new begins (again: stop at once)"
_SHOW_CURSOR = "\x1b[?25h"
Tell = Callable[[str], None]


def tell_directly(text: str) -> None:
    """Write to stderr past everything that may hold a lock on it."""
    with suppress(OSError):  # after a hang-up there is no terminal left to tell
        os.write(2, f"\nlabctl: {text}\n".encode())


@contextmanager
def two_stages(interrupt: Interrupt, ref: str, tell: Tell = tell_directly) -> Iterator[None]:
    """Within this block a signal sets `interrupt`; a second one ends the process (code 130).

    `tell` is told of the first: what is drawn on the screen must know of lines among its own.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _taken) for number in _SIGNALS}
    watcher = threading.Thread(target=_watch, args=(reader, interrupt, ref, tell), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
        os.write(writer, bytes([_END]))
        watcher.join()
        os.close(reader)
        os.close(writer)


@contextmanager
def one_stage(interrupt: Interrupt, left: str) -> Iterator[None]:
    """Within this block a signal ends what is done, at once, with Interrupted: `left` is its brief.

    `interrupt` is set before: threads that are waited for are to look at it, and end. A second
    signal ends the process (code 130), with the terminal's cursor back.
    """

    def taken(_number: int, _frame: FrameType | None) -> None:
        if interrupt.is_set():
            cursor = _SHOW_CURSOR if os.isatty(2) else ""
            tell_directly(f"{cursor}{left}")
            os._exit(ExitCode.INTERRUPTED)
        interrupt.set()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, taken) for number in _SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(left) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _taken(_number: int, _frame: FrameType | None) -> None:
    """The wake-up pipe has it; the handler only keeps Python from its default."""


def _watch(reader: int, interrupt: Interrupt, ref: str, tell: Tell) -> None:
    while (received := os.read(reader, 1)) and received[0] != _END:
        if received[0] not in _SIGNALS:
            continue
        if interrupt.is_set():
            tell_directly(
                f"stopped at once; `labctl status` shows what is left of {ref}, "
                "and the next `labctl up` or `labctl destroy` puts it right"
            )
            os._exit(ExitCode.INTERRUPTED)
        interrupt.set()
        tell(_FIRST)
