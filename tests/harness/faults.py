"""Faults on purpose: at the n-th call of a method, before or after it took effect."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from labctl.errors import HypervisorError

Effect = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Fault:
    method: str
    effect: Effect
    call: int
    after: bool


class Faults:
    """Which calls go wrong, and how often each method was called. Safe for many threads."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()

    def at(self, method: str, effect: Effect, *, call: int = 1, after: bool = False) -> None:
        """Have `effect` strike at the `call`-th call of `method` from now on; 0 means every call.

        `after` strikes when the call has taken effect, as when an answer gets lost.
        """
        with self._lock:
            number = call + self.calls[method] if call else 0
            self._faults.append(_Fault(method, effect, number, after))

    @contextmanager
    def around(self, method: str) -> Iterator[None]:
        """Count the call and let its faults strike."""
        with self._lock:
            self.calls[method] += 1
            count = self.calls[method]
            due = [f for f in self._faults if f.method == method and f.call in (0, count)]
        for fault in due:
            if not fault.after:
                fault.effect()
        yield
        for fault in due:
            if fault.after:
                fault.effect()


def refuse(words: str = "refused on purpose") -> Effect:
    """Fail as libvirt does."""

    def effect() -> None:
        raise HypervisorError(words, details="VIR_ERR_INTERNAL_ERROR")

    return effect


def delay(seconds: float) -> Effect:
    """Take long."""
    return lambda: time.sleep(seconds)


def freeze(until: threading.Event) -> Effect:
    """Hang until the test sets the event."""

    def effect() -> None:
        until.wait()

    return effect


def die(death: BaseException) -> Effect:
    """End the run at this very place, as kill -9 would: `death` is what no code may catch."""

    def effect() -> None:
        raise death

    return effect
