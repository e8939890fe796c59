"""qcow2 headers, read without QEMU (docs/interop/qcow2.rst in QEMU's source).

Walking headers tells what a file stands on without opening the chain: QEMU opens all of it, which
takes minutes for a deep one. What the tables' entries mean stands here too: `qcow2_tables`,
`clusters` and `entries` read those, each for another end.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from labctl.errors import ImageError

MAGIC = b"QFI\xfb"
CLUSTER_BITS = range(9, 22)
"""512 bytes to 2 MiB: what QEMU takes (block/qcow2.h)."""
MOST_L1_BYTES = 32 << 20
"""QEMU's QCOW_MAX_L1_SIZE (block/qcow2.h)."""

OFFSET = 0x00FF_FFFF_FFFF_FE00
"""Bits 9 to 55 of an L1 or L2 table's entry: a place in the file."""
ZERO, COMPRESSED, COPIED = 1, 1 << 62, 1 << 63
"""The other bits of an entry: reads as zeros, compressed (both of L2 entries alone), not shared."""

DIRTY, CORRUPT, DATA_FILE = 1, 2, 4
"""Incompatible features. The first two change nothing of where the data is."""

_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
"""Version 2: magic to snapshots_offset. Version 3 goes on with _HEADER_3."""
_HEADER_3 = struct.Struct(">QQQII")
_HEADER_LENGTH = _HEADER.size + _HEADER_3.size
LARGEST_HEADER = 1 << 16
"""The header and the backing file's name lie within the first cluster: 64 KiB by default."""


class Header(NamedTuple):
    """What a qcow2 file says of itself. Sizes and places in bytes; nothing of it is checked."""

    version: int
    virtual_size: int
    backing: str
    """"" without a backing file."""
    cluster_bits: int
    encrypted: bool
    l1_entries: int
    l1_offset: int
    refcounts_offset: int
    refcounts_clusters: int
    snapshots: int
    snapshots_offset: int
    features: int
    """The incompatible ones: bits that a reader must know."""
    length: int

    @property
    def cluster_size(self) -> int:
        """0 for one that can't be."""
        return 1 << self.cluster_bits if self.cluster_bits in CLUSTER_BITS else 0

    @property
    def dirty(self) -> bool:
        return bool(self.features & DIRTY)

    @property
    def corrupt(self) -> bool:
        return bool(self.features & CORRUPT)

    @property
    def data_file(self) -> bool:
        return bool(self.features & DATA_FILE)


def read_header(path: Path) -> Header:
    """The header of `path`. Raises ImageError when it is no qcow2 file, OSError when unreadable."""
    with path.open("rb") as file:
        raw = file.read(LARGEST_HEADER)
    header = parse_header(raw)
    if header is None:
        raise ImageError(
            f"{path} is no qcow2 image",
            details=f"it begins with {raw[:4]!r} instead of {MAGIC!r}",
            resolution=f"see `qemu-img info {path}`; `qemu-img convert -O qcow2` converts",
        )
    return header


def parse_header(raw: bytes) -> Header | None:
    """The header that a file beginning with `raw` has; None where it is no qcow2 file."""
    if len(raw) < _HEADER.size or raw[:4] != MAGIC:
        return None
    (
        _,
        version,
        offset,
        length,
        bits,
        size,
        crypt,
        l1,
        l1_at,
        counts_at,
        counts,
        saved,
        saved_at,
    ) = _HEADER.unpack_from(raw)
    features, header_length = 0, _HEADER.size
    if version >= 3 and len(raw) >= _HEADER_LENGTH:
        features, _, _, _, header_length = _HEADER_3.unpack_from(raw, _HEADER.size)
    return Header(
        version=version,
        virtual_size=size,
        backing=os.fsdecode(raw[offset : offset + length]) if offset else "",
        cluster_bits=bits,
        encrypted=bool(crypt),
        l1_entries=l1,
        l1_offset=l1_at,
        refcounts_offset=counts_at,
        refcounts_clusters=counts,
        snapshots=saved,
        snapshots_offset=saved_at,
        features=features,
        length=header_length,
    )


def is_qcow2(path: Path) -> bool:
    """Is it a qcow2 file? What is no plain file or can't be read is none."""
    try:
        if not S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):  # ValueError: a name with a NUL in it
        return False
