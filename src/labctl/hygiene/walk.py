"""Files as they lie: chains by headers alone, disks of a domain's XML, what is below a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from labctl.hygiene.facts import Disk, DiskFact, Layer
from labctl.images.chain import Step, look, walk
from labctl.images.qcow2 import Header
from labctl.images.qcow2_tables import MOST_SNAPSHOTS, read_tables
from labctl.images.transfer import BLOCK
from labctl.model.inspection import InternalSnapshot

_UNREADABLE = InternalSnapshot(id="", name="(unreadable)", date="", vm_state_size=0)


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
    path = Path(disk.file)
    real = Path(os.path.realpath(path))
    if _is_special(path):
        return DiskFact(disk, (layer_of(path),), "", real)
    steps, broken = walk(path)
    trouble = broken.words if broken else ""
    if broken and broken.error:
        trouble = f"{broken.at}: {trouble}"
    return DiskFact(disk, tuple(map(_layer, steps)), trouble, real)


def layer_of(path: Path) -> Layer:
    """One file, with the snapshots inside it. Raises OSError when it can't be read."""
    found = path.stat()
    return _layer(look(path) if stat.S_ISREG(found.st_mode) else Step(path, found, None))


def files_below(folder: Path, want: Callable[[Path], bool]) -> Iterator[Path]:
    """The plain files below `folder` that `want` takes; no link is followed."""
    for here, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(here, name)
            if not path.is_symlink() and want(path):
                yield path


def _is_special(path: Path) -> bool:
    """A device or the like: it stands on nothing, and opening it could do something."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _layer(step: Step) -> Layer:
    path, status, header = step
    return Layer(
        path=Path(os.path.normpath(path)),
        used=status.st_blocks * BLOCK,
        modified=status.st_mtime,
        internal=_internal(path, header) if header and header.snapshots else (),
        backing=Path(os.path.normpath(path.parent / step.backing)) if step.backing else None,
    )


def _internal(path: Path, header: Header) -> tuple[InternalSnapshot, ...]:
    """What the file's table lists; of those that can't be read, at least that they are there."""
    found: tuple[InternalSnapshot, ...] = ()
    with suppress(OSError), path.open("rb") as file:
        found = read_tables(file, header).snapshots
    unread = min(header.snapshots, MOST_SNAPSHOTS) - len(found)
    return (*found, *[_UNREADABLE] * unread)
