"""A file and all it stands on, told by headers alone, whatever state they are in.

Nothing is opened by QEMU, nothing for writing, and nothing that is no file: a header can name a
device or a pipe. `labctl.images.chain` is for disks that must be whole; this is for evidence.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISBLK, S_ISREG

from labctl.errors import ImageError
from labctl.images.qcow2 import MAGIC, Header, read_header
from labctl.images.qcow2_tables import Tables, read_tables
from labctl.model.inspection import Chain, Layer
from labctl.model.signature import printable as safe

MOST_LAYERS = 20_000
"""No chain is that long; a header can say so all the same."""
_HEAD_BYTES = 512
_MAGICS: Mapping[str, tuple[bytes, int]] = {
    "qcow2": (MAGIC, 0),
    "vmdk": (b"KDMV", 0),
    "ova": (b"ustar", 257),
}
"""By what a file begins with; a VMDK without data of its own (a description) is unknown here."""
_SECTOR = 512


def walk(path: Path) -> Chain:
    """The chain below `path`. Raises ImageError when `path` itself can't be read."""
    try:
        layer, backing = _look(path)
    except (OSError, ValueError) as error:
        raise ImageError(
            f"can't read {printable(path)}: {_why(error)}",
            resolution="give a disk image's path, or its name in the store (`labctl image list`)",
        ) from None
    layers, seen = [layer], {_identity(path)}
    while isinstance(backing, Path):
        at = backing
        try:
            if (identity := _identity(at)) in seen:
                return Chain(tuple(layers), f"its chain bites its tail: {printable(at)} again")
            if len(layers) >= MOST_LAYERS:
                return Chain(tuple(layers), f"its chain has more than {MOST_LAYERS} files")
            layer, backing = _look(at)
        except (OSError, ValueError) as error:
            fault = f"it stands on {printable(at)}, which can't be read: {_why(error)}"
            return Chain(tuple(layers), fault)
        seen.add(identity)
        layers.append(layer)
    return Chain(tuple(layers), backing or "")


def printable(name: str | Path) -> str:
    """A file's name safe for terminals and JSON, whatever bytes it has."""
    return safe(os.fsencode(name).decode(errors="replace"))


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _why(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _look(path: Path) -> tuple[Layer, Path | str | None]:
    """The layer, and what it stands on: a path, nothing, or words for what is no path."""
    status = path.stat()
    if not (S_ISREG(status.st_mode) or S_ISBLK(status.st_mode)):
        raise ValueError("it is no file")
    with path.open("rb", buffering=0) as file:
        head = os.pread(file.fileno(), _HEAD_BYTES, 0)
        tables = read_tables(file)
        size = status.st_size or os.lseek(file.fileno(), 0, os.SEEK_END)
    found = _format(head, size)
    layer = Layer(
        path=printable(path),
        format=found,
        size=size,
        allocated=status.st_blocks * 512,
        modified=datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds"),
        virtual_size=size if found == "raw" else None,
    )
    if tables is None:
        return layer, None
    header = read_header(path)
    return _with_tables(layer, header, tables), _backing(path, header, tables)


def _format(head: bytes, size: int) -> str:
    for name, (magic, place) in _MAGICS.items():
        if head[place : place + len(magic)] == magic:
            return name
    return "raw" if size and size % _SECTOR == 0 else "unknown"


def _with_tables(layer: Layer, header: Header, tables: Tables) -> Layer:
    return layer._replace(
        virtual_size=header.virtual_size,
        cluster_size=tables.cluster_size,
        version=tables.version,
        dirty=header.dirty,
        corrupt=header.corrupt,
        encrypted=header.encrypted,
        data_file=header.data_file,
        holds_data=tables.holds_data,
        snapshots=tables.snapshots,
        problems=tables.problems,
    )


def _backing(path: Path, header: Header, tables: Tables) -> Path | str | None:
    if not header.backing:
        return None
    name = header.backing.removeprefix("file:")
    if name.startswith("json:") or "://" in name:
        return f"it stands on {printable(name)}, which is no file of this host"
    below = path.parent / name
    if tables.backing_format == "raw" and _is_qcow2(below):
        return (
            f"it takes {printable(below)} for a raw disk, and that is a qcow2 file: "
            "a guest sees the file's own bytes"
        )
    return below


def _is_qcow2(path: Path) -> bool:
    try:
        if not S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):
        return False
