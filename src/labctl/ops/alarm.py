"""When to wake a machine without a clock: a boot procedure or a session on a console."""

from __future__ import annotations


class Alarm:
    """Counts `wake_after` from when it was first seen, and anew after each time it was due."""

    def __init__(self) -> None:
        self._at: float | None = None

    def is_due(self, wake_after: float | None, now: float) -> bool:
        """Whether to wake it now; `wake_after` is what it asks for (seconds), None for nothing."""
        if wake_after is None:
            self._at = None
        elif self._at is None:
            self._at = now + wake_after
        elif now >= self._at:
            self._at = None
            return True
        return False
