"""Where a plain qcow2 file keeps its guest's data (docs/interop/qcow2.rst in QEMU's source).

Reading the data in place spares writing all of it out as a raw disk first. What is not plain -
backing files, compression, encryption, anything odd - is left to QEMU.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from labctl.images.qcow2 import MAGIC

_HEADER = struct.Struct(">4sIQIIQIIQ")
"""Magic, version, backing file's place and length, cluster bits, size, encryption, L1 entries and
the L1 table's place."""
_INCOMPATIBLE = struct.Struct(">Q")
_SMALLEST_BITS, _LARGEST_BITS = 16, 21  # at least one block of the digest; at most what QEMU allows
_OFFSET = 0x00FFFFFFFFFFFE00
_COMPRESSED = 1 << 62
_ZERO = 1
_MOST_L1 = 4 << 20  # QEMU's QCOW_MAX_L1_SIZE, in entries


class NotPlain(Exception):
    """The file is not one that can be read without QEMU."""


class Cluster(NamedTuple):
    """A cluster of the guest's disk and where its bytes are in the file."""

    guest: int
    host: int


class Layout(NamedTuple):
    """A plain qcow2 file. Sizes in bytes."""

    virtual_size: int
    cluster: int
    l1_place: int
    l1_entries: int
    knows_zeros: bool
    file_size: int


def read_layout(descriptor: int) -> Layout:
    """Raises NotPlain."""
    raw = os.pread(descriptor, _HEADER.size + 32, 0)
    if len(raw) < _HEADER.size + 32:
        raise NotPlain
    magic, version, backing, _, bits, size, crypt, entries, place = _HEADER.unpack_from(raw)
    if magic != MAGIC or version not in (2, 3) or backing or crypt:
        raise NotPlain
    if version == 3 and _INCOMPATIBLE.unpack_from(raw, 72)[0]:
        raise NotPlain
    if not _SMALLEST_BITS <= bits <= _LARGEST_BITS or entries > _MOST_L1:
        raise NotPlain
    return Layout(size, 1 << bits, place, entries, version == 3, os.fstat(descriptor).st_size)


def clusters(descriptor: int, layout: Layout) -> Iterator[Cluster]:
    """The clusters that hold data, in the guest's order. Raises NotPlain, perhaps midway."""
    per_table = layout.cluster // 8
    for number, l1 in enumerate(_table(descriptor, layout, layout.l1_place, layout.l1_entries)):
        if not l1 & _OFFSET:
            continue
        start = number * per_table * layout.cluster
        for index, l2 in enumerate(_table(descriptor, layout, l1 & _OFFSET, per_table)):
            guest = start + index * layout.cluster
            host = _host(l2, layout)
            if host and guest < layout.virtual_size:
                yield Cluster(guest, host)


def _host(entry: int, layout: Layout) -> int:
    """Where an L2 entry's data is, 0 where the guest sees zeros."""
    if entry & _COMPRESSED:
        raise NotPlain
    if layout.knows_zeros and entry & _ZERO:
        return 0
    host = entry & _OFFSET
    if host % layout.cluster or host >= layout.file_size:
        raise NotPlain
    return host


def _table(descriptor: int, layout: Layout, place: int, entries: int) -> tuple[int, ...]:
    if place % layout.cluster:
        raise NotPlain
    raw = os.pread(descriptor, entries * 8, place)
    if len(raw) < entries * 8:
        raise NotPlain
    return struct.unpack(f">{entries}Q", raw)
