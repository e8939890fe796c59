"""How full each room was at earlier runs: one line a run, so that a rate can be told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress

from labctl.atomic import write_atomically
from labctl.filelock import locked
from labctl.hygiene.facts import Reading, Room
from labctl.model.paths import Home

_MOST = 1000
"""Lines kept: a run an hour for 40 days."""
_LOCK_SECONDS = 10.0


def history(home: Home) -> tuple[Reading, ...]:
    """Earlier readings, oldest first; what can't be read is left out."""
    return tuple(_readings(home))


def record(home: Home, now: float, rooms: Iterable[Room]) -> None:
    """Add a reading. Where labctl's folder can't be written to, nothing is kept."""
    reading = Reading(now, {room.label: room.available for room in rooms})
    with suppress(OSError):
        home.cache.mkdir(parents=True, exist_ok=True)
        lock = home.cache / "usage.lock"
        with locked(lock, deadline=_LOCK_SECONDS, what="the record of free room"):
            kept = [*_readings(home), reading][-_MOST:]
            text = "".join(json.dumps(each._asdict()) + "\n" for each in kept)
            write_atomically(home.cache / "usage.jsonl", text.encode())


def _readings(home: Home) -> Iterator[Reading]:
    try:
        text = (home.cache / "usage.jsonl").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            read = json.loads(line)
            available = {str(key): int(value) for key, value in read["available"].items()}
            yield Reading(float(read["time"]), available)
