"""Sizes, spans and commands as findings word them."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

MIB = 1024**2
GIB = 1024**3
DAY = 86400.0
HOUR = 3600.0


def virsh(uri: str, *words: str) -> str:
    """A virsh command, to paste."""
    return shlex.join(("virsh", "-c", uri, *words))


def shell(*words: object) -> str:
    """A command, to paste."""
    return shlex.join(map(str, words))


def size(number: float) -> str:
    """`12.0 MiB`, `3.4 GiB`."""
    return f"{number / GIB:.1f} GiB" if number >= GIB else f"{number / MIB:.1f} MiB"


def span(seconds: float) -> str:
    """`40 s`, `12 min`, `5 h`, `9 days`."""
    seconds = max(0.0, seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / HOUR:.0f} h" if seconds < 2 * DAY else f"{seconds / DAY:.0f} days"


def per_day(used: float, seconds: float) -> float | None:
    """MiB a day; None where it was watched for less than an hour."""
    return round(used / MIB / (seconds / DAY), 1) if seconds >= HOUR else None


def at(seconds: float) -> str:
    """A time as ISO 8601 UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def day(seconds: float) -> str:
    """A day as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def count(number: int, noun: str) -> str:
    """`1 layer`, `2 layers`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
