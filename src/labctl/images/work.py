"""What an import has done so far, so that one that was killed goes on from there.

FOLDER/work.json    what is imported (path, size, mtime, inode), and what is known of it so far
FOLDER/disk         the disk out of an .ova
FOLDER/image        the copy, whole: it is written as image.part, and synced before it is named so

A half copy is thrown away: to find out how far it can be trusted costs as much as copying again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labctl.atomic import write_atomically

Json = Any
_FACTS = "work.json"
LOCK = "lock"


class Work:
    """One import's folder. The caller holds the folder's lock file."""

    def __init__(self, folder: Path, source: Json) -> None:
        """Take on what is known of `source`; what is there of anything else is removed."""
        self.folder = folder
        self._lock = threading.Lock()
        self._facts: dict[str, Json] = _read(folder / _FACTS)
        if self._facts.get("source") != source:
            self.begin(source)

    def begin(self, source: Json) -> None:
        """Forget everything."""
        clear(self.folder)
        self._facts = {"source": source}
        self._write()

    def once(self, fact: str, find: Callable[[], Json]) -> Json:
        """The fact as found before, or found now and kept. Facts may be asked for in threads."""
        if fact not in self._facts:
            found = find()
            with self._lock:
                self._facts[fact] = found
                self._write()
        return self._facts[fact]

    def file(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file as made before and untouched since, or made now by `make`.

        What is known beyond it is forgotten when it is made.
        """
        path = self.folder / name
        if self._facts.get(name) != _stamp(path):
            make(path)
            with self._lock:
                at = [*self._facts].index(name) if name in self._facts else len(self._facts)
                self._facts = dict([*self._facts.items()][:at]) | {name: _stamp(path)}
                self._write()
        return path

    def _write(self) -> None:
        write_atomically(self.folder / _FACTS, json.dumps(self._facts).encode())


def clear(folder: Path) -> None:
    """Remove what imports left in `folder`; the caller holds its lock."""
    for path in folder.iterdir():
        if path.name != LOCK:
            path.unlink()


def _read(path: Path) -> dict[str, Json]:
    """No facts where there are none, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _stamp(path: Path) -> list[int]:
    """What changes when a file is written to; [] where there is none."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, found.st_ino]
