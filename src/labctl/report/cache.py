"""The states kept for warm starts, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from labctl.ops.warm_cache import LIMIT, Entry, WarmCache
from labctl.report.paint import Cell, Paint, count, table

_MIB = 1024**2
_HEADER = ("lab", "nodes", "size", "taken", "last of use", "qemu")


def cache_data(cache: WarmCache) -> dict[str, Any]:
    """All that is kept, for JSON; sizes in bytes."""
    return {
        "folder": str(cache.folder),
        "bytes": cache.size(),
        "limit": cache.limit(),
        "states": [_state(entry) for entry in _entries(cache)],
    }


def cache_lines(cache: WarmCache, paint: Paint) -> list[str]:
    """A table of what is kept, and how much more may be."""
    limit = cache.limit() // _MIB
    room = f"{cache.size() // _MIB} of {limit} MiB in use ({LIMIT})" if limit else f"{LIMIT} is 0"
    entries = _entries(cache)
    if not entries:
        return [f"nothing is kept for warm starts; {room}"]
    rows: list[list[str | Cell]] = [
        [
            entry.lab,
            str(len(entry.keys)),
            f"{entry.size // _MIB} MiB",
            entry.manifest.created,
            _iso(entry.used),
            entry.manifest.qemu,
        ]
        for entry in entries
    ]
    return [*table(_HEADER, rows, paint), room]


def cleared_lines(won: int, busy: Sequence[str]) -> list[str]:
    """What `clear` removed, and whose states it did not touch."""
    lines = [f"removed {won // _MIB} MiB"]
    if busy:
        lines.append(f"left alone: {', '.join(busy)} ({count(len(busy), 'lab')} being changed now)")
    return lines


def _entries(cache: WarmCache) -> list[Entry]:
    return [entry for lab in cache.labs() for entry in cache.entries(lab)]


def _state(entry: Entry) -> dict[str, Any]:
    return {
        "lab": entry.lab,
        "nodes": sorted(entry.keys),
        "bytes": entry.size,
        "taken": entry.manifest.created,
        "used": _iso(entry.used),
        "qemu": entry.manifest.qemu,
        "libvirt": entry.manifest.libvirt,
        "folder": str(entry.folder),
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
