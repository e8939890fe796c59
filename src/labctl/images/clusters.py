"""Where a plain qcow2 file keeps its guest's data (docs/interop/qcow2.rst in QEMU's source).

Reading the data in place spares writing all of it out as a raw disk first. What is not plain -
backing files, compression, encryption, anything odd - is left to QEMU.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from labctl.images.qcow2 import (
    COMPRESSED,
    LARGEST_HEADER,
    MOST_L1_BYTES,
    OFFSET,
    ZERO,
    parse_header,
)

_SMALLEST = 16
"""Bits of a cluster: at least one block of the digest."""


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
    header = parse_header(os.pread(descriptor, LARGEST_HEADER, 0))
    if header is None or header.version not in (2, 3) or header.backing or header.encrypted:
        raise NotPlain
    if header.features or not header.cluster_size or header.cluster_bits < _SMALLEST:
        raise NotPlain
    if header.l1_entries * 8 > MOST_L1_BYTES:
        raise NotPlain
    return Layout(
        virtual_size=header.virtual_size,
        cluster=header.cluster_size,
        l1_place=header.l1_offset,
        l1_entries=header.l1_entries,
        knows_zeros=header.version == 3,
        file_size=os.fstat(descriptor).st_size,
    )


def clusters(descriptor: int, layout: Layout) -> Iterator[Cluster]:
    """The clusters that hold data, in the guest's order. Raises NotPlain, perhaps midway."""
    per_table = layout.cluster // 8
    for number, l1 in enumerate(_table(descriptor, layout, layout.l1_place, layout.l1_entries)):
        if not l1 & OFFSET:
            continue
        start = number * per_table * layout.cluster
        for index, l2 in enumerate(_table(descriptor, layout, l1 & OFFSET, per_table)):
            guest = start + index * layout.cluster
            host = _host(l2, layout)
            if host and guest < layout.virtual_size:
                yield Cluster(guest, host)


def _host(entry: int, layout: Layout) -> int:
    """Where an L2 entry's data is, 0 where the guest sees zeros."""
    if entry & COMPRESSED:
        raise NotPlain
    if layout.knows_zeros and entry & ZERO:
        return 0
    host = entry & OFFSET
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
