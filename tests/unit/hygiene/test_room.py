"""Rooms that fill up, and when they will be full."""

from __future__ import annotations

import pytest

from harness import rot
from labctl.hygiene.facts import Facts, Reading, Room
from labctl.hygiene.room import fill_rate
from labctl.model.hygiene import Severity

GIB = 1024**3
ROOM = Room("home", "/home-of-labctl", 100 * GIB, 40 * GIB)


def watched(*readings: tuple[float, int], room: Room = ROOM) -> Facts:
    """Readings as (days ago, GiB free)."""
    history = tuple(
        Reading(rot.NOW - days * rot.DAY, {room.label: free * GIB}) for days, free in readings
    )
    return rot.facts(rooms=(room,), history=history)


@pytest.mark.parametrize("readings", [(), ((0.9, 50),), ((40.0, 90),)])
def test_too_little_is_known_to_tell_a_rate(readings: tuple[tuple[float, int], ...]) -> None:
    (finding,) = rot.found(watched(*readings), "room")
    assert finding.severity is Severity.NOTE
    assert "unknown yet" in finding.message
    assert finding.evidence["full_on"] is None


def test_the_rate_is_a_line_through_all_readings() -> None:
    facts = watched((2.0, 44), (1.0, 42))
    assert fill_rate(ROOM, facts) == pytest.approx(2 * GIB)
    (finding,) = rot.found(facts, "room")
    assert finding.severity is Severity.NOTE
    assert finding.evidence["full_on"] == "2027-02-04"
    assert finding.evidence["mib_per_day"] == 2048.0


@pytest.mark.parametrize(
    ("before", "severity"), [(42, "note"), (43, "warn"), (90, "bad"), (40, "note"), (30, "note")]
)
def test_the_day_it_will_be_full_decides(before: int, severity: str) -> None:
    (finding,) = rot.found(watched((1.0, before)), "room")
    assert finding.severity == severity


@pytest.mark.parametrize(("free", "severity"), [(11, "note"), (9, "warn"), (2, "bad")])
def test_a_room_that_is_nearly_full(free: int, severity: str) -> None:
    (finding,) = rot.found(watched(room=ROOM._replace(available=free * GIB)), "room")
    assert finding.severity == severity
