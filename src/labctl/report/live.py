"""The live view of a run: a line per node with its phase and time, redrawn by rich."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from labctl.ops.events import (
    Event,
    EventSink,
    PhaseEntered,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
)
from labctl.report.paint import Paint, clean, duration, percent, size
from labctl.report.progress import event_lines

_REDRAWS_PER_SECOND = 4
_BAR_WIDTH = 30
_MARKS = {"running": ("…", "cyan"), "done": ("✓", "green"), "failed": ("✗", "red")}


@dataclass(slots=True)
class _Row:
    """One node's line; `ended` is the time it took once its step is over."""

    doing: str
    since: float
    state: str = "running"
    ended: float | None = None


class LiveView:
    """What rich draws: the running nodes, and as many of the others as the screen has room for."""

    def __init__(self, console: Console, paint: Paint) -> None:
        self._console = console
        self._paint = paint
        self._rows: dict[str, _Row] = {}
        self._bars: dict[str, Progress] = {}
        self._lock = threading.Lock()

    def take(self, event: Event) -> None:
        """Note the event; those of the whole lab are printed above the live lines."""
        if isinstance(event, Progress):
            with self._lock:
                self._bars[event.step] = event
            return
        node = getattr(event, "node", "")
        if not node or not isinstance(event, StepStarted | StepDone | StepFailed | PhaseEntered):
            for line in event_lines(event, self._paint, verbose=False):
                self._console.print(Text.from_ansi(line))
            return
        with self._lock:
            self._note(node, event)

    def _note(self, node: str, event: StepStarted | StepDone | StepFailed | PhaseEntered) -> None:
        now = time.monotonic()
        row = self._rows.setdefault(node, _Row("", now))
        match event:
            case StepStarted(step):
                self._rows[node] = _Row(step, now)
            case PhaseEntered(_, phase):
                row.doing = phase
            case StepDone(step, seconds):
                row.state, row.ended = "done", seconds
            case StepFailed(step, seconds, _, reason):
                what = clean(reason) if event.interrupted else f"{step} failed: {clean(reason)}"
                row.doing, row.state, row.ended = what, "failed", seconds

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One line per node, those at work last to go when the screen is short."""
        with self._lock:
            rows = sorted(self._rows.items(), key=lambda item: item[1].state != "running")
            bars = list(self._bars.values())
        room = max(1, (options.max_height or console.height) - 2)
        width = max((len(node) for node, _ in rows), default=0)
        for node, row in sorted(rows[:room]):
            yield _line(node.ljust(width), row)
        if len(rows) > room:
            yield Text(f"  and {len(rows) - room} more", style="dim")
        for bar in bars:
            yield _bar(bar)


def _bar(bar: Progress) -> Text:
    """A step's bytes as a bar, and how many of how many."""
    filled = _BAR_WIDTH * bar.done // bar.total if bar.total else _BAR_WIDTH
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{bar.step:<8} ").append("━" * filled, "green")
    text.append("━" * (_BAR_WIDTH - filled), "dim")
    return text.append(f" {percent(bar.done, bar.total):>5} of {size(bar.total)}")


def _line(node: str, row: _Row) -> Text:
    mark, style = _MARKS[row.state]
    seconds = time.monotonic() - row.since if row.ended is None else row.ended
    text = Text(no_wrap=True, overflow="ellipsis")
    return text.append(f"{mark} ", style).append(f"{node}  {duration(seconds):>11}  {row.doing}")


@contextmanager
def live_progress(stream: TextIO, paint: Paint) -> Iterator[EventSink]:
    """A sink drawn live on `stream`, which must be a terminal."""
    console = Console(file=stream, highlight=False, no_color=not paint.enabled)
    view = LiveView(console, paint)
    with Live(view, console=console, refresh_per_second=_REDRAWS_PER_SECOND):
        yield view.take
