"""An archive unpacked beside the labs, and all of it checked before any of it is used.

HOME/imports/LAB/lab/       what will be the lab's folder
HOME/imports/LAB/images/    golden images that came along
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labctl.errors import ImageError, LabctlError, SnapshotError, UsageError
from labctl.images.qcow2 import read_header
from labctl.model.archive import (
    FILES,
    IMAGES,
    LARGEST_TEXT,
    SNAPSHOT,
    TOPOLOGY,
    Contents,
    Golden,
)
from labctl.model.archive_parts import MANIFEST, read_snapshot
from labctl.model.lab import Lab
from labctl.model.paths import Home, LabPaths
from labctl.model.snapshot import DISK, Manifest
from labctl.ops.load import load_kept
from labctl.ops.lock import holder
from labctl.ops.tarball import Reading, Took

_SPARE = 256 * 1024 * 1024
"""Bytes that an import leaves free on the disk."""
_TEXTS = (TOPOLOGY, FILES, MANIFEST)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What is in `folder`, whole and checked. `manifest` None: the topology alone."""

    contents: Contents
    folder: Path
    lab: Lab
    manifest: Manifest | None

    @property
    def paths(self) -> LabPaths:
        """What will be the lab's folder."""
        return LabPaths(self.folder / "lab")

    def image(self, golden: Golden) -> Path:
        """Where a golden image that came along is."""
        return self.folder / golden.member


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Reading]:
    """An archive opened, its list read and checked. Raises UsageError, SnapshotError."""
    if not file.is_file():
        raise UsageError(f"there is no file {file}", resolution="`labctl export` makes archives")
    with contextlib.ExitStack() as stack:
        try:
            reading = Reading(stack.enter_context(file.open("rb")), str(file))
        except OSError as error:
            raise SnapshotError(f"can't read {file}: {error.strerror}") from None
        yield reading


def staging(home: Home, lab: str) -> Path:
    """Where an archive of the lab is unpacked."""
    return home.imports / lab


def sweep(home: Home, lab: str) -> tuple[str, ...]:
    """Remove what killed imports left, and say of which labs; those at work are left alone.

    The caller holds the lock of `lab`.
    """
    left = [
        folder
        for folder in sorted(home.imports.glob("*"))
        if folder.name == lab or not holder(home.lab(folder.name).lock)
    ]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return tuple(folder.name for folder in left)


def check_room(home: Home, contents: Contents, images: Collection[Golden]) -> None:
    """Raise SnapshotError when the disk has too little room for the archive and these images.

    All is there twice: disks as the snapshot's and the nodes' own, images on their way in.
    """
    kept = sum(contents.members[name].size * 2 for name in _kept(contents, images))
    free = shutil.disk_usage(home.folder).free
    if kept + _SPARE > free:
        raise SnapshotError(
            f"the archive needs {_mebibytes(kept)}, and {_mebibytes(free)} are free",
            details=f"in {home.folder}",
            resolution="make room, or let LABCTL_HOME name a folder on a larger disk",
        )


def unpack(
    reading: Reading, home: Home, took: Took, *, images: Collection[Golden] = ()
) -> Unpacked:
    """Write the archive's members below the lab's staging folder and check all of it.

    Raises SnapshotError for an archive that is not what it says it is; the folder is the
    caller's to remove. Files for readers, and images but `images`, are checked and not written.
    """
    contents = reading.contents
    folder = staging(home, contents.lab)
    for name in _TEXTS:
        member = contents.members.get(name)
        if member is not None and member.size > LARGEST_TEXT:
            raise _bad(f"{name} of {member.size} bytes")
    try:
        folder.mkdir(mode=0o700, parents=True)
        reading.unpack(_targets(contents, folder, images), took)
        return _checked(contents, folder)
    except OSError as error:
        raise SnapshotError(
            f"can't unpack the archive: {error.strerror}",
            details=str(error.filename or folder),
            resolution="see whether the disk is full or read-only",
        ) from None


def _kept(contents: Contents, images: Collection[Golden]) -> list[str]:
    """The members that are written."""
    wanted = {TOPOLOGY, FILES, *(image.member for image in images)}
    return [name for name in contents.members if name in wanted or name.startswith(SNAPSHOT)]


def _targets(contents: Contents, folder: Path, images: Collection[Golden]) -> Mapping[str, Path]:
    snapshot = LabPaths(folder / "lab").snapshots / contents.snapshot
    targets = {}
    for name in _kept(contents, images):
        if name.startswith(SNAPSHOT):
            targets[name] = snapshot / name.removeprefix(SNAPSHOT)
        else:
            targets[name] = folder / (name if name.startswith(IMAGES) else f"lab/{name}")
    return targets


def _checked(contents: Contents, folder: Path) -> Unpacked:
    """What the files say, held against each other."""
    targets = _targets(contents, folder, ())
    try:
        files = json.loads(targets[FILES].read_bytes())
        if type(files) is not dict or any(type(text) is not str for text in files.values()):
            raise ValueError(f"{FILES} holds other things than texts")
        lab, _ = load_kept(LabPaths(folder / "lab"))
        if lab.name != contents.lab:
            raise ValueError(f"its topology is of lab {lab.name}")
        if {node.image for node in lab.nodes} != {image.name for image in contents.images}:
            raise ValueError("its images are not those of its topology")
        if not contents.snapshot:
            return Unpacked(contents, folder, lab, None)
        manifest = read_snapshot(targets[MANIFEST].read_bytes(), contents, lab)
    except LabctlError as error:
        raise _bad(f"{error.brief}\n{error.details}") from None
    except (ValueError, KeyError, RecursionError) as error:
        raise _bad(str(error)) from None
    for part in manifest.parts:
        _check_disk(targets[f"{SNAPSHOT}{part.node}/{DISK}"], part.node)
    return Unpacked(contents, folder, lab, manifest)


def _check_disk(disk: Path, node: str) -> None:
    """An overlay may say it stands on anything (that is rewritten), and nothing else."""
    try:
        header = read_header(disk)
    except ImageError as error:
        raise _bad(f"{node}: {error.details}") from None
    if header.data_file or header.encrypted or not header.backing:
        raise _bad(f"the disk of {node} is no overlay that labctl made")


def _bad(why: str) -> SnapshotError:
    return SnapshotError(
        "the archive is no lab's, or was tampered with",
        details=why.encode("ascii", "backslashreplace").decode(),
        resolution="have it exported again: `labctl export LAB FILE`",
    )


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB"
