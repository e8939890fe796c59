"""What a benchmark gives back: figures, each with the limit it must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number against its limit.

    `at_least` turns the limit round: a speed-up must be reached, a ratio of costs not exceeded.
    """

    name: str
    measured: float
    limit: float
    unit: str = "x"
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Does the number keep the limit?"""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass(frozen=True, slots=True)
class Result:
    """All figures of one benchmark.

    `samples` holds what they were made of (label -> seconds or MiB, in the order taken), `notes`
    what a reader must know to judge them. `missing` says why nothing could be measured, if so.
    """

    name: str
    figures: Sequence[Figure] = ()
    samples: dict[str, list[float]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    missing: str = ""

    @property
    def kept(self) -> bool:
        """Was everything measured, and does it keep its limit?"""
        return not self.missing and all(figure.kept for figure in self.figures)
