"""The boot watcher: a pure function from a console's bytes to events, fed piece by piece.

It judges whole lines only, so that any split of the stream gives the same events. Serial lines
come with noise inside words (facts: "Ker\\rnel pan\\ric"), so carriage returns, escape sequences
and other control characters are removed before anything is matched.
"""

from __future__ import annotations

import re
from collections import deque

from labctl.console.events import ConsoleEvent, Fault, PhaseEntered, Ready
from labctl.model.platform import Platform

LINE_LIMIT = 65536
"""Bytes after which a line without a newline is cut, so that noise can't fill the memory."""
TAIL_LINES = 200
"""How many clean lines are kept for error messages."""

_ESCAPES = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    rb"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: window titles
    rb"|[ -/]*[0-~])"  # two characters and character sets
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


def clean(line: bytes) -> str:
    """A console line as a person would read it: no escapes, no control characters."""
    without = _CONTROLS.sub(b"", _ESCAPES.sub(b"", line.replace(b"\r", b"")))
    return without.decode("utf-8", "replace")


class BootWatcher:
    """Follows one node's boot by its platform's phase and fault rules. No clock, no I/O.

    A phase may come again (a reboot): each change of phase is an event, a repeat is not.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._phases = [(rule, re.compile(rule.pattern)) for rule in platform.phases]
        self._faults = [(rule, re.compile(rule.pattern)) for rule in platform.faults]
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._pending = bytearray()
        self._offset = 0
        self._fault_count = 0
        self._phase: int | None = None

    @property
    def phase(self) -> str:
        """The name of the current phase, "" before the first."""
        return "" if self._phase is None else self._platform.phases[self._phase].name

    @property
    def ready(self) -> bool:
        """Whether the current phase is the last."""
        return self._phase is not None and self._phase == len(self._phases) - 1

    @property
    def allowed(self) -> float:
        """Seconds the platform allows from entering the current phase to entering the next."""
        if self._phase is None:
            return self._platform.start_deadline
        return self._platform.phases[self._phase].deadline

    def feed(self, data: bytes) -> list[ConsoleEvent]:
        """What the next bytes of the console say, in order."""
        events: list[ConsoleEvent] = []
        self._pending += data
        start = 0
        while (end := self._line_end(start)) is not None:
            events += self._line(bytes(self._pending[start:end]))
            self._offset += end - start
            start = end
        del self._pending[:start]
        return events

    def tail(self, count: int) -> list[str]:
        """The last `count` lines (at most TAIL_LINES), the unfinished one included."""
        unfinished = clean(bytes(self._pending))
        lines = [*self._lines, unfinished] if unfinished.strip() else [*self._lines]
        return lines[-count:] if count > 0 else []

    def _line_end(self, start: int) -> int | None:
        """Where the line that begins at `start` of the pending bytes ends, if it has ended."""
        newline = self._pending.find(b"\n", start, start + LINE_LIMIT)
        if newline >= 0:
            return newline + 1
        return start + LINE_LIMIT if len(self._pending) - start >= LINE_LIMIT else None

    def _line(self, raw: bytes) -> list[ConsoleEvent]:
        line = clean(raw.removesuffix(b"\n"))
        if line.strip():
            self._lines.append(line)
        events = self._phase_events(line)
        for rule, pattern in self._faults:
            if pattern.search(line):
                self._fault_count += 1
                events.append(Fault(rule.name, line, self._offset, rule.explanation))
                break
        return events

    def _phase_events(self, line: str) -> list[ConsoleEvent]:
        for number, (rule, pattern) in enumerate(self._phases):
            match = pattern.search(line)
            if match is None:
                continue
            if number == self._phase:
                return []
            if number == 0:
                self._fault_count = 0
            self._phase = number
            entered = PhaseEntered(rule.name, self._offset)
            return [entered, Ready(self._offset, self._errors(match))] if self.ready else [entered]
        return []

    def _errors(self, match: re.Match[str]) -> int:
        counted = match.groupdict().get("errors")
        return int(counted) if counted and counted.isdecimal() else self._fault_count
