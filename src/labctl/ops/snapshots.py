"""The snapshots of one lab, as folders: which there are, which is whole, which the lab stands on.

LAB/snapshots/NAME/manifest.json       see labctl.model.snapshot
LAB/snapshots/NAME/damaged             what was found wrong with its files, and when
LAB/snapshots/current                  the name of the snapshot the lab's state came from
LAB/snapshots/restoring                only while one is put back, see labctl.ops.restore_marker
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from labctl.atomic import write_atomically
from labctl.errors import SnapshotError, UsageError
from labctl.model.paths import LabPaths
from labctl.model.snapshot import NAME, Manifest, from_json, to_json

_MANIFEST, _CURRENT, _DAMAGED = "manifest.json", "current", "damaged"
_TAKEN = (_CURRENT, "restoring")
_MODE = 0o600
"""Configurations hold passwords, and the lab's folder lets everybody through, for QEMU's user."""


class Snapshots:
    """What is below a lab's `snapshots` folder. Whoever changes it holds the lab's lock."""

    def __init__(self, paths: LabPaths) -> None:
        self._lab = paths.folder.name
        self._folder = paths.snapshots

    def folder(self, name: str) -> Path:
        """Where the parts of a snapshot are. Raises UsageError for an unsafe or reserved name."""
        if name in _TAKEN:
            raise UsageError(
                f"{name!r} can't be a snapshot's name: labctl keeps it for itself",
                resolution="take another one, " + " and ".join(map(repr, _TAKEN)) + " are reserved",
            )
        if not re.fullmatch(NAME, name):
            raise UsageError(
                f"{name!r} can't be a snapshot's name",
                resolution="use letters, digits, dot, dash and underscore, 64 at most, "
                "beginning with a letter or digit",
            )
        return self._folder / name

    def names(self) -> tuple[str, ...]:
        """All that are there, incomplete ones too."""
        return tuple(sorted(path.parent.name for path in self._folder.glob(f"*/{_MANIFEST}")))

    def all(self) -> tuple[Manifest, ...]:
        """All that can be read, complete or not, the oldest first."""
        found = [manifest for name in self.names() if (manifest := self._readable(name))]
        return tuple(sorted(found, key=lambda manifest: (manifest.clock, manifest.name)))

    def get(self, name: str) -> Manifest:
        """One snapshot's manifest, complete or not.

        Raises UsageError when there is none of that name, SnapshotError when it can't be read.
        """
        path = self.folder(name) / _MANIFEST
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError(
                f"{self._lab} has no snapshot {name!r}",
                details="it has: " + (", ".join(self.names()) or "none"),
                resolution=f"`labctl snapshot list {self._lab}` shows them",
            ) from None
        except (OSError, ValueError) as error:
            raise SnapshotError(
                f"snapshot {name} of {self._lab} can't be read",
                details=f"{path}: {error}",
                resolution=f"`labctl snapshot delete {self._lab} {name}` removes its rest",
            ) from None

    def write(self, manifest: Manifest) -> None:
        """Put the manifest in place, whole or not at all."""
        path = self.folder(manifest.name) / _MANIFEST
        write_atomically(path, to_json(manifest).encode(), mode=_MODE)

    def remove(self, name: str) -> None:
        """Remove a snapshot, the manifest last but one: what a kill leaves is seen as incomplete.

        Raises SnapshotError when its files resist.
        """
        folder = self.folder(name)
        if manifest := self._readable(name):
            self.write(manifest._replace(complete=False, running=()))
        try:
            for path in folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
            shutil.rmtree(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise SnapshotError(
                f"snapshot {name} of {self._lab} can't be removed: {error.strerror}",
                details=str(error.filename or folder),
                resolution="see who holds its files, then delete it again",
            ) from None

    def forget(self, name: str) -> None:
        """Remove a snapshot; those that descend from it, and the lab, then do from its parent."""
        manifest = self._readable(name)
        parent = manifest.parent if manifest else ""
        for child in self.all():
            if child.parent == name:
                self.write(child._replace(parent=parent))
        if self.current() == name:
            self.set_current(parent)
        self.remove(name)

    def note_damage(self, name: str, problems: Sequence[str]) -> None:
        """Note what a proof found wrong with its files; nothing, and the note goes."""
        path = self.folder(name) / _DAMAGED
        with suppress(OSError):  # the proof's own finding is the one to report
            if problems:
                found = f"found on {datetime.now(UTC):%Y-%m-%d}: {'; '.join(problems)}"
                write_atomically(path, found.encode(), mode=_MODE)
            else:
                path.unlink(missing_ok=True)

    def damage(self, name: str) -> str:
        """What `note_damage` noted; "" for a snapshot that nothing is known of."""
        try:
            return (self.folder(name) / _DAMAGED).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def sweep(self) -> None:
        """Remove folders without a manifest: one not begun yet, or all but removed."""
        for folder in self._folder.glob("*/"):
            if not (folder / _MANIFEST).exists():
                shutil.rmtree(folder, ignore_errors=True)

    def current(self) -> str:
        """The snapshot the lab's state came from; "" for none, or one that is gone."""
        try:
            name = (self._folder / _CURRENT).read_text(encoding="utf-8").strip()
        except OSError:
            return ""
        return name if name in self.names() else ""

    def set_current(self, name: str) -> None:
        """Note where the lab's state came from."""
        write_atomically(self._folder / _CURRENT, f"{name}\n".encode())

    def _readable(self, name: str) -> Manifest | None:
        try:
            return self.get(name)
        except (SnapshotError, UsageError):
            return None
