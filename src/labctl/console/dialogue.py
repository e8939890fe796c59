"""The recognizer of consoles that ask: a pure function from bytes to phases, prompts and faults.

It is driven by a platform's rules alone. Phases and prompts fire at the earliest byte at which
their pattern holds in the clean current line, so that they are seen while a device waits behind
an unfinished line, and likewise in a finished log, where the echo of the answer or a message
follows on the same line. Faults are judged on whole lines, to be shown whole.

The same bytes give the same events with the same offsets, in whatever pieces they come.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Sequence

from labctl.console.clean import ERASE, NEWLINE, Cleaner, GrowingLine, Piece
from labctl.console.events import (
    DialogueEvent,
    Fault,
    LineEnded,
    PhaseEntered,
    PromptSeen,
    Ready,
)
from labctl.console.scan import Hit, Scanner
from labctl.console.watcher import LINE_LIMIT, TAIL_LINES
from labctl.model.platform import Platform

_NOTHING = "(?!)"


class Dialogue:
    """Follows one console by its platform's rules. No clock, no I/O; it never answers.

    `hosts` are the names the device may call itself in a prompt.
    """

    def __init__(self, platform: Platform, hosts: Sequence[str] = ()) -> None:
        self._platform = platform
        names = f"(?:{'|'.join(map(re.escape, hosts))})" if hosts else _NOTHING
        self._phases = Scanner([_compiled(rule.pattern, names) for rule in platform.phases])
        self._prompts = Scanner([_compiled(rule.pattern, names) for rule in platform.prompts])
        self._faults = [(rule, _compiled(rule.pattern, names)) for rule in platform.faults]
        self._cleaner = Cleaner()
        self._line = GrowingLine()
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._phase: int | None = None
        self._furthest = -1
        self._counts: Counter[str] = Counter()
        self._fault_count = 0

    @property
    def phase(self) -> str:
        """The name of the current phase, "" before the first."""
        return "" if self._phase is None else self._platform.phases[self._phase].name

    @property
    def ready(self) -> bool:
        """Whether the current phase is the last."""
        return self._phase == len(self._platform.phases) - 1

    @property
    def allowed(self) -> float:
        """Seconds the platform allows from entering the current phase to entering the next."""
        if self._phase is None:
            return self._platform.start_deadline
        return self._platform.phases[self._phase].deadline

    @property
    def offset(self) -> int:
        """How many bytes were fed."""
        return self._cleaner.offset

    @property
    def unfinished(self) -> str:
        """The current line as far as it has come."""
        return _text(self._line.text)

    def feed(self, data: bytes) -> list[DialogueEvent]:
        """What the next bytes of the console say, in order."""
        events: list[DialogueEvent] = []
        for piece in self._cleaner.feed(data):
            if piece.data == NEWLINE:
                events += self._end_line(piece.offset + 1)
            elif piece.data == ERASE:
                events += self._scan()
                self._line.erase()
                self._phases.shorten(len(self._line.text))
                self._prompts.shorten(len(self._line.text))
            else:
                events += self._add(piece)
        return events + self._scan()

    def enter(self, name: str) -> list[DialogueEvent]:
        """Whoever drives the console knows that a phase is reached, before any line says so."""
        names = [rule.name for rule in self._platform.phases]
        return self._enter(names.index(name), self.offset, None)

    def tail(self, count: int) -> list[str]:
        """The last `count` lines (at most TAIL_LINES), the unfinished one included."""
        lines = [*self._lines, self.unfinished] if self.unfinished.strip() else [*self._lines]
        return lines[-count:] if count > 0 else []

    def _add(self, piece: Piece) -> list[DialogueEvent]:
        events: list[DialogueEvent] = []
        data, offset = piece
        while data:
            part = data[: LINE_LIMIT - len(self._line.text)]
            self._line.add(part, offset)
            data, offset = data[len(part) :], offset + len(part)
            if len(self._line.text) == LINE_LIMIT:
                events += self._end_line(offset, whole=False)
        return events

    def _scan(self) -> list[DialogueEvent]:
        """Phases and prompts that hold in the current line and did not before."""
        phases = [(hit.end, 0, hit) for hit in self._phases.hits(self._line.text)]
        prompts = [(hit.end, 1, hit) for hit in self._prompts.hits(self._line.text)]
        events: list[DialogueEvent] = []
        for _, kind, hit in sorted([*phases, *prompts], key=lambda found: found[:2]):
            if kind:
                events.append(self._prompt(hit))
            else:
                events += self._enter(hit.number, self._line.offset, hit.match)
        return events

    def _prompt(self, hit: Hit) -> PromptSeen:
        rule = self._platform.prompts[hit.number]
        offset = self._line.offset_of(hit.match.start())
        return PromptSeen(rule.kind, offset, rule.answer, _text(hit.match.group()))

    def _end_line(self, next_offset: int, *, whole: bool = True) -> list[DialogueEvent]:
        events = self._scan()
        line = self.unfinished
        if line.strip():
            self._lines.append(line)
        events += self._faulty(line)
        events.append(LineEnded(line, self._line.offset, whole))
        self._line = GrowingLine(next_offset)
        self._phases.restart()
        self._prompts.restart()
        return events

    def _faulty(self, line: str) -> list[DialogueEvent]:
        for rule, pattern in self._faults:
            if pattern.search(self._line.text):
                self._counts[rule.name] += 1
                if self._counts[rule.name] < rule.times:
                    continue
                self._fault_count += 1
                return [Fault(rule.name, line, self._line.offset, rule.explanation)]
        return []

    def _enter(
        self, number: int, offset: int, match: re.Match[bytes] | None
    ) -> list[DialogueEvent]:
        rule = self._platform.phases[number]
        if number == self._phase or (rule.once and number < (self._phase or 0)):
            return []
        if number > self._furthest:
            self._furthest = number
            self._counts.clear()
        if number == 0:
            self._fault_count = 0
        self._phase = number
        entered = PhaseEntered(rule.name, offset)
        if not self.ready:
            return [entered]
        self._furthest = -1
        return [entered, Ready(offset, self._errors(match))]

    def _errors(self, match: re.Match[bytes] | None) -> int:
        counted = match.groupdict().get("errors") if match else None
        return int(counted) if counted and counted.isdigit() else self._fault_count


def _compiled(pattern: str, names: str) -> re.Pattern[bytes]:
    return re.compile(pattern.replace("<host>", names).encode())


def _text(line: bytes | bytearray) -> str:
    return line.decode("utf-8", "replace")
