"""Places that fill up, and the day they will be full at the rate so far. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labctl.hygiene.facts import Facts, Reading, Room
from labctl.hygiene.words import DAY, MIB, day, shell, size
from labctl.model.hygiene import Finding, Severity

_WATCHED = DAY
"""Seconds between the first and the last reading below which no rate is told."""
_WINDOW = 30 * DAY
_SOON = 14.0
_LOW, _OUT = 0.10, 0.03
"""Shares of the room still free."""
_FAR = 3650.0
"""Days beyond which a forecast says nothing."""


def check_room(facts: Facts) -> Iterator[Finding]:
    """A finding for each room: a note, unless it is nearly full or soon will be."""
    for room in facts.rooms:
        rate = fill_rate(room, facts)
        yield _room(facts, room, rate)


def fill_rate(room: Room, facts: Facts) -> float | None:
    """Bytes a day that go, by a straight line through the last 30 days' readings.

    None until there are two readings a day apart.
    """
    present = Reading(facts.now, {room.label: room.available})
    points = [
        (reading.time, reading.available[room.label])
        for reading in (*facts.history, present)
        if room.label in reading.available and facts.now - _WINDOW <= reading.time <= facts.now
    ]
    if points[-1][0] - points[0][0] < _WATCHED:
        return None
    return -_slope(points) * DAY


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares."""
    middle = sum(x for x, _ in points) / len(points)
    level = sum(y for _, y in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    return sum((x - middle) * (y - level) for x, y in points) / spread


def _room(facts: Facts, room: Room, rate: float | None) -> Finding:
    free = room.available / room.capacity if room.capacity else 0.0
    left = room.available / rate if rate and rate > 0 else None
    if left is not None and left > _FAR:
        left = None
    full = day(facts.now + left * DAY) if left is not None else None
    return Finding(
        check="room",
        severity=_severity(free, left),
        subject=room.label,
        message=f"{size(room.available)} of {size(room.capacity)} free ({free:.0%}) in "
        f"{room.path}; {_forecast(rate, full)}",
        meaning="a guest whose disk can't grow is paused by QEMU, or loses what it writes",
        command=shell("du", "-xh", "--max-depth=3", room.path) + " | sort -h | tail",
        evidence={
            "path": room.path,
            "capacity": room.capacity,
            "available": room.available,
            "mib_per_day": None if rate is None else round(rate / MIB, 1),
            "full_on": full,
        },
    )


def _severity(free: float, left: float | None) -> Severity:
    if free < _OUT or (left is not None and left < 1):
        return Severity.BAD
    if free < _LOW or (left is not None and left < _SOON):
        return Severity.WARN
    return Severity.NOTE


def _forecast(rate: float | None, full: str | None) -> str:
    if rate is None:
        return "how fast it fills is unknown yet"
    if full is None:
        return "it does not fill up at the present rate"
    return f"full on {full} at the present rate, {rate / MIB:.0f} MiB a day"
