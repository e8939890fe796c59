"""Sets of bytes, as stretches that never touch each other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right


class Ranges:
    """Stretches [start, end), in order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Put the stretch in, joined with those that it touches."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def remove(self, start: int, end: int) -> None:
        """Take the stretch out, whatever of it is in."""
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end)
        if first >= last or start >= end:
            return
        head, tail = (self._starts[first], start), (end, self._ends[last - 1])
        left = [(a, b) for a, b in (head, tail) if a < b]
        self._starts[first:last] = [a for a, _ in left]
        self._ends[first:last] = [b for _, b in left]

    def stretches(self) -> tuple[tuple[int, int], ...]:
        """All of them, in order."""
        return tuple(zip(self._starts, self._ends, strict=True))

    def total(self) -> int:
        """How many bytes are in."""
        return sum(self._ends) - sum(self._starts)
