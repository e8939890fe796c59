"""How every call of the fake hypervisor is made: counted, faulty where a test says so, alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

from harness.faults import Faults


class Called(Protocol):
    """What a call needs of the fake."""

    faults: Faults
    _lock: threading.RLock


P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Called)


def call(method: Callable[Concatenate[F, P], R]) -> Callable[Concatenate[F, P], R]:
    """Count the call and let injected faults strike around it, outside of the fake's own lock."""

    @wraps(method)
    def wrapped(self: F, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.faults.around(method.__name__), self._lock:
            return method(self, *args, **kwargs)

    return cast("Callable[Concatenate[F, P], R]", wrapped)
