"""qcow2 headers, read without QEMU (docs/interop/qcow2.rst in QEMU's source).

Walking headers tells what a file stands on without opening the chain: QEMU opens all of it, which
takes minutes for a deep one.
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
_LARGEST_HEADER = 1 << 16
"""The header and the backing file's name lie within the first cluster: 64 KiB by default."""

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
        raw = file.read(_LARGEST_HEADER)
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
