"""Events to progress on stderr: live on a terminal, self-contained lines elsewhere, or nothing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from labctl.ops.context import silent
from labctl.ops.events import (
    Converging,
    Event,
    EventSink,
    Notice,
    PhaseEntered,
    PlanMade,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
)
from labctl.report.paint import Paint, clean, count, duration, percent, size
from labctl.report.plan import plan_lines

Clock = Callable[[], float]
_PROGRESS_SECONDS = 5.0
"""How often a line tells how far a step is."""


@contextlib.contextmanager
def progress(
    stream: TextIO, paint: Paint, *, quiet: bool = False, verbose: bool = False
) -> Iterator[EventSink]:
    """The sink for this run: rich's live view on a terminal, else one line per event."""
    if quiet:
        yield silent
    elif stream.isatty() and not verbose:
        from labctl.report.live import live_progress

        with live_progress(stream, paint) as sink:
            yield sink
    else:
        yield Lines(stream, paint, verbose=verbose)


def waits(stream: TextIO, paint: Paint, *, quiet: bool = False) -> EventSink:
    """For commands whose result says the rest: a line for what is waited for, and for notices."""
    lines = Lines(stream, paint, verbose=False)

    def sink(event: Event) -> None:
        if isinstance(event, Converging | Notice):
            lines(event)

    return silent if quiet else sink


class Lines:
    """Each event a line with the seconds since the start; events come from many threads."""

    def __init__(
        self, stream: TextIO, paint: Paint, *, verbose: bool, clock: Clock = time.monotonic
    ) -> None:
        self._stream = stream
        self._paint = paint
        self._verbose = verbose
        self._clock = clock
        self._started = clock()
        self._told = self._started
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write the event; a reader that has gone away doesn't stop the run."""
        if isinstance(event, Progress) and self._is_soon():
            return
        lines = event_lines(event, self._paint, verbose=self._verbose)
        offset = self._paint("dim", f"[{self._clock() - self._started:6.1f} s]")
        with self._lock, contextlib.suppress(OSError):
            self._stream.write("".join(f"{offset} {line}\n" for line in lines))
            self._stream.flush()

    def _is_soon(self) -> bool:
        """Whether it is too soon to tell again how far a step is."""
        now = self._clock()
        with self._lock:
            soon = now - self._told < _PROGRESS_SECONDS
            if not soon:
                self._told = now
        return soon


def event_lines(event: Event, paint: Paint, *, verbose: bool) -> list[str]:
    """An event in words; none for events that only `verbose` readers want."""
    match event:
        case StepStarted(step, node):
            return [f"{_who(node)}{step} ..."] if verbose else []
        case StepDone(step, seconds, node, note):
            end = f": {clean(note)}" if note else ""
            return [f"{_who(node)}{step} {paint('good', 'done')} in {duration(seconds)}{end}"]
        case StepFailed(node=node, reason=reason, interrupted=True):
            return [f"{_who(node)}{paint('warn', clean(reason))}"]
        case StepFailed(step, seconds, node, reason):
            failed = paint("bad", "failed")
            return [f"{_who(node)}{step} {failed} after {duration(seconds)}: {clean(reason)}"]
        case PhaseEntered(node, phase, seconds):
            return [f"{_who(node)}{phase} after {duration(seconds)}"]
        case Converging(failed):
            fail = "fails" if failed == 1 else "fail"
            return [f"waiting to converge: {count(failed, 'check')} {fail} yet"]
        case Progress(step, done, total):
            return [f"{step}: {percent(done, total)} of {size(total)}"]
        case Notice(text, node):
            return [f"{_who(node)}{clean(text)}"]
        case PlanMade(plan):
            return plan_lines(plan, paint)


def _who(node: str) -> str:
    return f"{node}: " if node else ""
