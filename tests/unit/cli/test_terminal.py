import os
import termios
from collections.abc import Callable

from labctl.cli.terminal import attach


class Stream:
    """A console that echoes, and ends after `lives` reads; `on_read` is called at the first."""

    def __init__(self, *, lives: int = 1000) -> None:
        self.written = b""
        self.on_read: Callable[[], object] = lambda: None
        self._pending = b"login: "
        self._lives = lives

    def read(self, timeout: float) -> bytes:
        self.on_read()
        self.on_read = lambda: None
        self._lives -= 1
        if self._lives < 0:
            raise EOFError
        data, self._pending = self._pending, b""
        return data

    def write(self, data: bytes) -> None:
        self.written += data
        self._pending += data

    def close(self) -> None:
        raise AssertionError("the caller closes")


def run(typed: bytes, stream: Stream) -> bytes:
    """Attach to `stream` with `typed` on the keyboard; what the screen got."""
    user, keyboard = os.openpty()
    reader, screen = os.pipe()
    before = termios.tcgetattr(keyboard)
    stream.on_read = lambda: os.write(user, typed)  # not before the terminal is raw
    try:
        attach(stream, keyboard, screen)
        assert termios.tcgetattr(keyboard) == before
        return os.read(reader, 4096)
    finally:
        for descriptor in (user, keyboard, reader, screen):
            os.close(descriptor)


def test_both_ways_until_the_escape() -> None:
    stream = Stream()
    shown = run(b"root\r\x1dnever sent", stream)
    assert stream.written == b"root\r"
    assert shown.startswith(b"login: ")


def test_ctrl_c_goes_to_the_device() -> None:
    stream = Stream()
    run(b"\x03\x1d", stream)
    assert stream.written == b"\x03"


def test_the_end_of_the_console_ends_it() -> None:
    assert run(b"", Stream(lives=2)) == b"login: "
