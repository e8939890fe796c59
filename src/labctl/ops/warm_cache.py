"""The states of booted fabrics that labctl keeps for warm starts, as files.

HOME/cache/warm/LAB/KEY/manifest.json, NODE/    see labctl.model.snapshot; KEY: labctl.ops.warm_key
HOME/cache/warm/LAB/KEY/keys.json               the key of each node
HOME/cache/warm/LAB/KEY/used                    its mtime: when the state was last of use
HOME/cache/warm/LAB/KEY.part/                   one being written or removed

Memory and day-0 hold passwords, so nobody else may read any of it. Whoever writes below LAB holds
the lab's lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from labctl.atomic import PART
from labctl.errors import UsageError
from labctl.images.transfer import allocated
from labctl.model.paths import Home
from labctl.model.snapshot import Manifest, from_json, to_json
from labctl.ops.lock import holder
from labctl.topology.sizes import parse_size

LIMIT = "LABCTL_WARM_CACHE"
"""The variable that names the cache's largest size; 0 switches warm starts off."""
DEFAULT_LIMIT = "40 GiB"
SHARE_OF_FREE = 4
"""At most one part in so many of the room there is without the cache."""
_MANIFEST, _KEYS, _USED = "manifest.json", "keys.json", "used"
_NAME_LENGTH = 32
_MIB = 1024**2


class Entry(NamedTuple):
    """One kept state. `used` in seconds since 1970, `size` in bytes on the disk."""

    folder: Path
    manifest: Manifest
    keys: Mapping[str, str]
    used: float
    size: int

    @property
    def lab(self) -> str:
        """Whose it is."""
        return self.folder.parent.name


class WarmCache:
    """All that is kept, of all labs of this home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.folder = home.cache / "warm"

    def place(self, lab: str, key: str) -> Path:
        """The folder of the state with that key."""
        return self.folder / lab / key[:_NAME_LENGTH]

    def labs(self) -> tuple[str, ...]:
        """The labs that something is kept of, or was being kept."""
        return tuple(sorted(path.name for path in self.folder.glob("*") if path.is_dir()))

    def folders(self, lab: str) -> tuple[Path, ...]:
        """Those of whole entries, readable or not."""
        found = self.folder.joinpath(lab).glob("*")
        return tuple(sorted(path for path in found if path.is_dir() and path.suffix != PART))

    def parts(self, lab: str) -> tuple[Path, ...]:
        """What was being written or removed when a run was killed, or is now."""
        return tuple(sorted(self.folder.joinpath(lab).glob(f"*{PART}")))

    def entries(self, lab: str) -> tuple[Entry, ...]:
        """The lab's states that can be read, the one used last first."""
        found = []
        for folder in self.folders(lab):
            with contextlib.suppress(OSError, ValueError):
                found.append(read(folder))
        return tuple(sorted(found, key=lambda entry: entry.used, reverse=True))

    def size(self) -> int:
        """Bytes on the disk, of all that is below the cache's folder."""
        return disk_use(self.folder)

    def limit(self) -> int:
        """The most bytes it may have now. Raises UsageError for a wrong LABCTL_WARM_CACHE."""
        most = size_limit()
        if not most:
            return 0
        there = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        return min(most, (shutil.disk_usage(there).free + self.size()) // SHARE_OF_FREE)

    def make_room(self, need: int, limit: int, *, lab: str) -> tuple[Entry, ...]:
        """Remove states, the one not used for longest first, until `need` bytes fit the limit.

        Those of labs at which another run than `lab`'s is at work stay. Gives back what went.
        """
        gone: list[Entry] = []
        others = [name for name in self.labs() if name == lab or not self._is_busy(name)]
        entries = [entry for name in others for entry in self.entries(name)]
        left = self.size()
        for entry in sorted(entries, key=lambda entry: entry.used):
            if left + need <= limit:
                break
            self.drop(entry.folder)
            left -= entry.size
            gone.append(entry)
        return tuple(gone)

    def clear(self) -> tuple[int, tuple[str, ...]]:
        """Remove all; the bytes won, and the labs left alone since a run is at work on them."""
        before = self.size()
        busy = tuple(lab for lab in self.labs() if self._is_busy(lab))
        for lab in self.labs():
            if lab not in busy:
                shutil.rmtree(self.folder / lab, ignore_errors=True)
        return before - self.size(), busy

    def drop(self, folder: Path) -> None:
        """Remove one entry; a kill half-way leaves a rest that passes for nothing."""
        part = folder.with_name(folder.name + PART)
        with contextlib.suppress(OSError):
            shutil.rmtree(part, ignore_errors=True)
            folder.rename(part)
            shutil.rmtree(part)
            folder.parent.rmdir()  # fails while there are others

    def sweep(self, lab: str) -> None:
        """Remove what a killed run of the lab was writing or removing."""
        for part in self.parts(lab):
            shutil.rmtree(part, ignore_errors=True)
        with contextlib.suppress(OSError):  # there is more of the lab, or never was anything
            self.folder.joinpath(lab).rmdir()

    def _is_busy(self, lab: str) -> bool:
        return holder(self._home.lab(lab).lock) is not None


def size_limit() -> int:
    """LABCTL_WARM_CACHE, or its default, in bytes. Raises UsageError when it is no size."""
    text = os.environ.get(LIMIT, DEFAULT_LIMIT).strip()
    if text == "0":
        return 0
    try:
        return parse_size(text) * _MIB
    except ValueError as error:
        raise UsageError(
            f"{LIMIT}: {error}", resolution="`40 GiB` is the default, 0 switches warm starts off"
        ) from None


def read(folder: Path) -> Entry:
    """The entry in `folder`. Raises OSError or ValueError when it is none, or not whole."""
    manifest = from_json(folder.joinpath(_MANIFEST).read_text(encoding="utf-8"))
    keys = json.loads(folder.joinpath(_KEYS).read_text(encoding="utf-8"))
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        raise ValueError(f"{folder / _KEYS} holds no keys")
    if not manifest.complete or manifest.lab != folder.parent.name:
        raise ValueError(f"{folder / _MANIFEST} is not that of a whole state of this lab")
    return Entry(folder, manifest, keys, folder.joinpath(_USED).stat().st_mtime, disk_use(folder))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest into the folder of an entry that is being made."""
    _write(folder / _MANIFEST, to_json(manifest))


def finish(folder: Path, manifest: Manifest, keys: Mapping[str, str]) -> None:
    """Make an entry of a filled `.part` folder, in one stroke."""
    for path in _files(folder):
        path.chmod(0o600)
    _write(folder / _KEYS, json.dumps(dict(keys), indent=2))
    _write(folder / _USED, "")
    write_manifest(folder, manifest)
    folder.rename(folder.with_name(folder.name.removesuffix(PART)))


def touch(folder: Path) -> None:
    """Note that the entry was of use now."""
    with contextlib.suppress(OSError):
        folder.joinpath(_USED).touch()


def unfinished(folder: Path) -> Manifest | None:
    """The manifest of a state whose keeping was cut off: its machines may be paused still."""
    try:
        manifest = from_json(folder.joinpath(_MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return None if manifest.complete else manifest


def disk_use(folder: Path) -> int:
    """Bytes that the files below a folder take on the disk."""
    return sum(map(allocated, _files(folder)))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
