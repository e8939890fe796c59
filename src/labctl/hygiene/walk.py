"""Files as they lie: chains by headers alone, disks of a domain's XML, what is below a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from labctl.errors import ImageError, LabctlError
from labctl.hygiene.facts import Disk, DiskFact, Internal, Layer
from labctl.images import qemu_img
from labctl.images.qcow2 import Header, read_header

_BLOCK = 512
"""st_blocks counts these, whatever the file system's own are (stat(2))."""
_MOST_NAMED = 65536
"""A damaged header can claim four billion (docs/interop/qcow2.rst: at most 65,536)."""


def disks_of(xml: str) -> tuple[Disk, ...]:
    """The disks with a file or device of the host's; network and volume disks are left out."""
    found = []
    for element in ElementTree.fromstring(xml).iterfind("devices/disk"):
        source, target = element.find("source"), element.find("target")
        mirror = element.find("mirror/source")
        file = "" if source is None else source.get("file") or source.get("dev") or ""
        if file and target is not None:
            found.append(
                Disk(
                    target=target.get("dev", ""),
                    file=file,
                    readonly=element.find("readonly") is not None,
                    mirror="" if mirror is None else mirror.get("file", ""),
                )
            )
    return tuple(found)


def chain_of(disk: Disk) -> DiskFact:
    """The disk with all it stands on, found by headers: QEMU dies of opening a deep chain."""
    layers: dict[Path, Layer] = {}
    real = Path(os.path.realpath(disk.file))
    path: Path | None = Path(disk.file)
    trouble = ""
    while path is not None and not trouble:
        if path in layers:
            trouble = f"it stands on itself: {path} is met twice"
            break
        try:
            layers[path] = layer_of(path)
            path = layers[path].backing
        except OSError as error:
            trouble = f"{path}: {error.strerror}"
    return DiskFact(disk, tuple(layers.values()), trouble, real)


def layer_of(path: Path) -> Layer:
    """One file, with the snapshots inside it. Raises OSError when it can't be read."""
    found = path.stat()
    header = _header(path)
    internal = _internal(path, header.snapshots) if header and header.snapshots else ()
    return Layer(path, found.st_blocks * _BLOCK, found.st_mtime, internal, _backing(path, header))


def backing_of(path: Path) -> Path | None:
    """The file that `path` stands on; None where it stands alone or is no qcow2 file."""
    return _backing(path, _header(path))


def is_qcow2(path: Path) -> bool:
    """Is it a qcow2 file? What can't be read is none."""
    try:
        return _header(path) is not None
    except OSError:
        return False


def files_below(folder: Path, want: Callable[[Path], bool]) -> Iterator[Path]:
    """The plain files below `folder` that `want` takes; no link is followed."""
    for here, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(here, name)
            if not path.is_symlink() and want(path):
                yield path


def _backing(path: Path, header: Header | None) -> Path | None:
    if header is None or not header.backing:
        return None
    return Path(os.path.normpath(path.parent / header.backing))


def _header(path: Path) -> Header | None:
    """None where `path` is no plain file, or no qcow2 file. Raises OSError if unreadable."""
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    try:
        return read_header(path)
    except ImageError:
        return None


def _internal(path: Path, count: int) -> tuple[Internal, ...]:
    """What qemu-img lists; where it can't, at least that there are some."""
    try:
        listed = qemu_img.info(path, "qcow2").get("snapshots", ())
        return tuple(
            Internal(str(each["name"]), float(each["date-sec"]), int(each["vm-state-size"]))
            for each in listed
        )
    except (LabctlError, KeyError, TypeError, ValueError):
        return (Internal("(unreadable)", 0.0, 0),) * min(count, _MOST_NAMED)
