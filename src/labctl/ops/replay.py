"""A saved console log through its platform's recognizer: what a boot said, and where it ended.

The log may be of any size: it is read line by line and never held whole.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import BinaryIO

from labctl.console.dialogue import Dialogue
from labctl.console.events import ConsoleEvent, DialogueEvent, Fault, LineEnded, PhaseEntered, Ready
from labctl.console.watcher import LINE_LIMIT, BootWatcher
from labctl.devices.nxos.lines import is_syslog
from labctl.model.platform import Platform
from labctl.ops.boot import POWER_ON

# What loggers put before each line: a date and time, a time, or seconds with their unit (a kernel's
# own `[    3.4]` is no time of a logger's).
_STAMP = re.compile(
    rb"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\]?:? "
    rb"|\[?(\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)\]?:? "
    rb"|\[ *(\d{1,9}(?:\.\d{1,9})? ?s)\] "
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A phase, prompt or fault: `name` is its name or kind, `detail` the answer or the line.

    `offset` counts bytes of the log; `time` is the log's own, "" where it has none.
    """

    what: str
    name: str
    offset: int
    detail: str
    time: str


@dataclass(frozen=True, slots=True)
class Replay:
    """All moments in order, and where the log ended."""

    moments: tuple[Moment, ...]
    ended: str


def replay(log: BinaryIO, platform: Platform) -> Replay:
    """What the log says to the platform's rules."""
    reader = _Reader(platform)
    while line := log.readline(LINE_LIMIT):
        reader.line(line)
    reader.line(b"\n")  # the last line may be unfinished
    return Replay(tuple(reader.moments), reader.ended)


class _Reader:
    def __init__(self, platform: Platform) -> None:
        self._watcher = Dialogue(platform) if platform.prompts else BootWatcher(platform)
        self.moments: list[Moment] = []
        self._stamps = _Stamps()
        self._fault = ""
        self._prompt = ""
        self._text = ""

    def line(self, raw: bytes) -> None:
        for event in self._watcher.feed(self._stamps.strip(raw)):
            self._see(event)

    @property
    def ended(self) -> str:
        """Where the log ended, in a few words."""
        if self._fault:
            return f"fault {self._fault}"
        if self._watcher.ready:
            return "ready"
        if self._prompt:
            return f"prompt {self._prompt}"
        phase = self._watcher.phase
        return f"no output after {f'phase {phase}' if phase else POWER_ON}"

    def _see(self, event: ConsoleEvent | DialogueEvent) -> None:
        if isinstance(event, LineEnded):
            self._close_prompt(event)
        elif isinstance(event, PhaseEntered):
            self._fault = ""
            self._add("phase", event.name, event.offset, "")
        elif isinstance(event, Fault):
            self._fault = event.rule
            self._add("fault", event.rule, event.offset, event.line)
        elif not isinstance(event, Ready):
            self._prompt, self._text = event.kind, event.text
            self._add("prompt", event.kind, event.offset, event.answer)

    def _close_prompt(self, line: LineEnded) -> None:
        """A prompt is open until something follows that is no message of the system's."""
        _, _, behind = line.text.rpartition(self._text) if self._prompt else ("", "", "")
        if behind.strip() and not is_syslog(behind.strip()):
            self._prompt = ""

    def _add(self, what: str, name: str, offset: int, detail: str) -> None:
        place, time = self._stamps.where(offset)
        self.moments.append(Moment(what, name, place, detail, time))


class _Stamps:
    """Takes the times off lines and remembers of the last ones where in the log they stood."""

    def __init__(self) -> None:
        self._fed = self._taken = 0
        self._time = ""
        self._lines: deque[tuple[int, int, str]] = deque([(0, 0, "")], maxlen=256)

    def strip(self, raw: bytes) -> bytes:
        """The line as the console printed it."""
        match = _STAMP.match(raw)
        if match is not None:
            self._taken += match.end()
            self._time = match.group(match.lastindex or 0).decode()
        self._lines.append((self._fed, self._taken, self._time))
        rest = raw[match.end() :] if match else raw
        self._fed += len(rest)
        return rest

    def where(self, offset: int) -> tuple[int, str]:
        """The offset in the log, and the time, of what was fed at `offset`."""
        for fed, taken, time in reversed(self._lines):
            if fed <= offset:
                return offset + taken, time
        return offset, ""
