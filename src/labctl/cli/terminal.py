"""A terminal in raw mode, joined to a serial console until Ctrl-]."""

from __future__ import annotations

import os
import select
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labctl.hypervisor.api import ConsoleStream

ESCAPE = b"\x1d"
"""Ctrl-], as virsh and telnet have it."""
_READ_SECONDS = 0.02
_CHUNK = 4096


def attach(stream: ConsoleStream, keyboard: int, screen: int) -> None:
    """Copy both ways until Ctrl-], the end of the keyboard's input or the console's end."""
    with _raw(keyboard):
        while _from_console(stream, screen) and _from_keyboard(stream, keyboard):
            pass


def _from_console(stream: ConsoleStream, screen: int) -> bool:
    try:
        data = stream.read(_READ_SECONDS)
    except EOFError:
        return False
    while data:
        data = data[os.write(screen, data) :]
    return True


def _from_keyboard(stream: ConsoleStream, keyboard: int) -> bool:
    ready, _, _ = select.select([keyboard], [], [], 0)
    if not ready:
        return True
    typed = os.read(keyboard, _CHUNK)
    before, escape, _ = typed.partition(ESCAPE)
    if before:
        stream.write(before)
    return bool(typed) and not escape


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """Raw mode, restored whatever happens."""
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
