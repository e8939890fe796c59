"""qcow2 headers, read and written without QEMU (docs/interop/qcow2.rst in QEMU's source).

Walking headers tells what a file stands on without opening the chain, and writing an empty
overlay is a header and three tables, where starting `qemu-img create` costs 30 ms of CPU.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import NamedTuple

from labctl.errors import ImageError

MAGIC = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
"""Version 2: magic to snapshots_offset. Version 3 goes on with _HEADER_3."""
_HEADER_3 = struct.Struct(">QQQII")
_HEADER_LENGTH = _HEADER.size + _HEADER_3.size
_EXTENSION = struct.Struct(">II")
_BACKING_FORMAT = 0xE2792ACA
_CLUSTER_BITS = 16
_CLUSTER = 1 << _CLUSTER_BITS
_REFCOUNT_ORDER = 4
_L2_REACH = _CLUSTER * (_CLUSTER // 8)
"""Bytes of guest disk behind one L1 entry."""
_LONGEST_BACKING = 1023

_DIRTY, _CORRUPT, _DATA_FILE = 1, 2, 4


class Header(NamedTuple):
    """What a qcow2 file says of itself. Sizes in bytes; `backing` is "" without a backing file."""

    virtual_size: int
    backing: str
    encrypted: bool
    snapshots: int
    dirty: bool
    corrupt: bool
    data_file: bool


def read_header(path: Path) -> Header:
    """The header of `path`. Raises ImageError when it is no qcow2 file, OSError when unreadable."""
    with path.open("rb") as file:
        raw = file.read(_CLUSTER)
    if len(raw) < _HEADER.size or raw[:4] != MAGIC:
        raise ImageError(
            f"{path} is no qcow2 image",
            details=f"it begins with {raw[:4]!r} instead of {MAGIC!r}",
            resolution=f"see `qemu-img info {path}`; `qemu-img convert -O qcow2` converts",
        )
    (_, version, offset, length, _, size, crypt, _, _, _, _, snapshots, _) = _HEADER.unpack_from(
        raw
    )
    incompatible = 0
    if version >= 3 and len(raw) >= _HEADER_LENGTH:
        incompatible = _HEADER_3.unpack_from(raw, _HEADER.size)[0]
    return Header(
        virtual_size=size,
        backing=os.fsdecode(raw[offset : offset + length]) if offset else "",
        encrypted=bool(crypt),
        snapshots=snapshots,
        dirty=bool(incompatible & _DIRTY),
        corrupt=bool(incompatible & _CORRUPT),
        data_file=bool(incompatible & _DATA_FILE),
    )


def write_overlay(path: Path, backing: Path, virtual_size: int) -> None:
    """Write an empty qcow2 overlay of `virtual_size` bytes on the qcow2 file `backing` to `path`.

    Raises ImageError when `backing` is no absolute path that fits into a header.
    """
    name = os.fsencode(backing)
    if not backing.is_absolute() or len(name) > _LONGEST_BACKING:
        raise ImageError(
            f"{backing} can't be a backing file",
            details=f"it must be an absolute path of at most {_LONGEST_BACKING} bytes",
        )
    l1_entries = -(-virtual_size // _L2_REACH)
    l1_clusters = -(-l1_entries * 8 // _CLUSTER)
    # cluster 0 header, 1 refcount table, 2 refcount block, from 3 the empty L1 table
    clusters = 3 + l1_clusters
    with path.open("xb") as file:
        file.write(_overlay_header(name, virtual_size, l1_entries))
        file.seek(_CLUSTER)
        file.write(struct.pack(">Q", 2 * _CLUSTER))
        file.seek(2 * _CLUSTER)
        file.write(struct.pack(">H", 1) * clusters)
        file.truncate(clusters * _CLUSTER)


def _overlay_header(backing: bytes, virtual_size: int, l1_entries: int) -> bytes:
    backing_format = b"qcow2"
    extensions = _EXTENSION.pack(_BACKING_FORMAT, len(backing_format))
    extensions += backing_format.ljust(8, b"\0") + _EXTENSION.pack(0, 0)
    header = _HEADER.pack(
        MAGIC,
        3,
        _HEADER_LENGTH + len(extensions),
        len(backing),
        _CLUSTER_BITS,
        virtual_size,
        0,
        l1_entries,
        3 * _CLUSTER,
        _CLUSTER,
        1,
        0,
        0,
    )
    return header + _HEADER_3.pack(0, 0, 0, _REFCOUNT_ORDER, _HEADER_LENGTH) + extensions + backing
