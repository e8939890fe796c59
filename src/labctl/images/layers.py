"""A file and all it stands on as evidence: each layer's header and tables, whatever their state.

Nothing is opened by QEMU, nothing for writing, and nothing that is no file: a header can name a
device or a pipe.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from labctl.errors import ImageError
from labctl.images import chain
from labctl.images.chain import Break, Step
from labctl.images.qcow2 import MAGIC, Header
from labctl.images.qcow2_tables import Tables, read_tables
from labctl.images.transfer import BLOCK
from labctl.model.inspection import Chain, Layer
from labctl.model.text import printable

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
    steps, broken = chain.walk(path)
    layers: list[Layer] = []
    for step, below in zip(steps, (*steps[1:], None), strict=False):
        try:
            layer, tables = _read(step)
        except OSError as error:
            broken = Break(step.path, error, error.strerror or str(error))
            break
        layers.append(layer)
        if below and below.header and tables and tables.backing_format == "raw":
            words = (
                f"it takes {below.path} for a raw disk, and that is a qcow2 file: "
                "a guest sees the file's own bytes"
            )
            return Chain(tuple(layers), printable(words))
    if broken and not layers:
        raise ImageError(
            f"can't read {printable(str(path))}: {broken.words}",
            resolution="give a disk image's path, or its name in the store (`labctl image list`)",
        )
    return Chain(tuple(layers), printable(_fault(broken)) if broken else "")


def _fault(broken: Break) -> str:
    if broken.error is None:
        return broken.words
    return f"it stands on {broken.at}, which can't be read: {broken.words}"


def _read(step: Step) -> tuple[Layer, Tables | None]:
    with step.path.open("rb", buffering=0) as file:
        head = os.pread(file.fileno(), _HEAD_BYTES, 0)
        tables = read_tables(file, step.header) if step.header else None
        size = step.status.st_size or os.lseek(file.fileno(), 0, os.SEEK_END)
    found = _format(head, size)
    layer = Layer(
        path=printable(str(step.path)),
        format=found,
        size=size,
        allocated=step.status.st_blocks * BLOCK,
        modified=datetime.fromtimestamp(step.status.st_mtime, UTC).isoformat(timespec="seconds"),
        virtual_size=size if found == "raw" else None,
    )
    return (_with_tables(layer, step.header, tables) if step.header and tables else layer), tables


def _format(head: bytes, size: int) -> str:
    for name, (magic, place) in _MAGICS.items():
        if head[place : place + len(magic)] == magic:
            return name
    return "raw" if size and size % _SECTOR == 0 else "unknown"


def _with_tables(layer: Layer, header: Header, tables: Tables) -> Layer:
    return layer._replace(
        virtual_size=header.virtual_size,
        cluster_size=header.cluster_size,
        version=header.version,
        dirty=header.dirty,
        corrupt=header.corrupt,
        encrypted=header.encrypted,
        data_file=header.data_file,
        holds_data=tables.holds_data,
        snapshots=tables.snapshots,
        problems=tables.problems,
    )
