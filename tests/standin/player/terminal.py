"""A serial line as NX-OS works it: its own echo, its own line editing, no flow control."""

from __future__ import annotations

import os
import select
import threading
import time
from dataclasses import dataclass, field


class Interrupted(Exception):
    """Control-C or Control-Z was typed."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class HungUp(Exception):
    """The line is gone."""


@dataclass
class Terminal:
    """`scale` stretches or shrinks every silence."""

    descriptor: int
    scale: float = 1.0
    _pending: bytes = b""
    _after_return: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, text: str) -> None:
        """Print; a line ends with both CR and LF."""
        data = text.replace("\n", "\r\n").encode()
        with self._lock:
            while data:
                try:
                    data = data[os.write(self.descriptor, data) :]
                except OSError as error:
                    raise HungUp from error

    def line(self, text: str = "") -> None:
        """Print a whole line."""
        self.write(f"{text}\n")

    def pause(self, seconds: float) -> None:
        """Be silent. What is typed meanwhile waits for the next prompt, as on a real port."""
        time.sleep(seconds * self.scale)

    def ask(self, prompt: str, *, echo: bool = True) -> str:
        """Prompt, and return the line typed."""
        self.write(prompt)
        return self.read_line(echo=echo)

    def read_line(self, *, echo: bool = True) -> str:
        """One line, edited with backspace and Control-U. Raises Interrupted, HungUp."""
        typed = ""
        while True:
            key = self.read_key()
            if key in "\r\n":
                self.write("\n")
                return typed
            if key in "\x03\x1a":
                self.write("^C\n" if key == "\x03" else "^Z\n")
                raise Interrupted(key)
            if key in "\x08\x7f":
                if echo and typed:
                    self.write("\b \b")
                typed = typed[:-1]
            elif key == "\x15":
                self.write("\b \b" * len(typed) if echo else "")
                typed = ""
            elif key.isprintable():
                typed += key
                if echo:
                    self.write(key)

    def read_key(self) -> str:
        """One character; of CR LF only the CR. Raises HungUp."""
        while True:
            self._pending = self._pending or self._read()
            key, self._pending = self._pending[:1], self._pending[1:]
            rest_of_return = self._after_return and key == b"\n"
            self._after_return = key == b"\r"
            if not rest_of_return:
                return key.decode("latin-1")

    def typed_within(self, seconds: float) -> bool:
        """Whether something is typed before that time is over."""
        if self._pending:
            return True
        ready, _, _ = select.select([self.descriptor], [], [], seconds * self.scale)
        return bool(ready)

    def _read(self) -> bytes:
        try:
            data = os.read(self.descriptor, 4096)
        except OSError as error:
            raise HungUp from error
        if not data:
            raise HungUp
        return data
