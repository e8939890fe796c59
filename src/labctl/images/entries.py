"""Where a qcow2 file keeps a disk's clusters, read without QEMU (docs/interop/qcow2.rst).

QEMU gives up at the first table that is broken, and its repair takes out what it can't place. For
a rescue each entry is judged by itself: what is in the file is read, and what isn't is told.
Reference counts are not looked at: they tell what is free, not where anything is.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from labctl.errors import ImageError
from labctl.images.qcow2 import (
    COMPRESSED,
    COPIED,
    CORRUPT,
    DIRTY,
    OFFSET,
    ZERO,
    read_header,
)

_SECTOR = 512


class Kind(StrEnum):
    """What a stretch of the disk is in one layer."""

    DATA = "data"
    COMPRESSED = "compressed"
    ZERO = "zero"
    LOST = "lost"
    """The layer had a cluster there, and its entry leads nowhere."""
    UNKNOWN = "unknown"
    """The table is gone that would tell whether the layer has anything there."""


class Stretch(NamedTuple):
    """Some of the disk, in bytes: `length` from `start`, in the file from `host` (`size` there)."""

    kind: Kind
    start: int
    length: int
    host: int = 0
    size: int = 0


class Layer:
    """One qcow2 file, open for reading; nothing is ever written to it."""

    def __init__(self, path: Path) -> None:
        """Raises ImageError when its header is none, or names what can't be read here."""
        header = read_header(path)
        self.path = path
        self.virtual_size = header.virtual_size
        if not header.cluster_size:
            raise _unreadable(path, f"clusters of 2^{header.cluster_bits} bytes are none")
        if header.encrypted:
            raise _unreadable(path, "it is encrypted")
        if header.features & ~(DIRTY | CORRUPT):
            features = f"0x{header.features:x}"
            raise _unreadable(path, f"it uses features ({features}) that labctl can't read")
        self.cluster = header.cluster_size
        self._bits = header.cluster_bits
        self._l1_size, self._l1_offset = header.l1_entries, header.l1_offset
        self._file_size = path.stat().st_size
        counts = min(header.refcounts_clusters, 1024) << self._bits
        self._metadata = set(self._of(header.refcounts_offset, counts))
        self._metadata |= set(self._of(self._l1_offset, self._l1_entries * 8))

    @property
    def _reach(self) -> int:
        """Bytes of the disk that one L2 table tells of."""
        return self.cluster * (self.cluster // 8)

    @property
    def _l1_entries(self) -> int:
        """As many as the disk needs; no more than can be in the file, whatever the header says."""
        needed = -(-self.virtual_size // self._reach)
        return min(needed, self._l1_size, self._file_size // 8)

    def _of(self, offset: int, size: int) -> range:
        """The clusters of a table."""
        return range(offset & -self.cluster, offset + max(size, 1), self.cluster)

    def stretches(self, descriptor: int) -> Iterator[Stretch]:
        """All that the layer has of the disk, in order, without what it leaves to those below."""
        l1 = self._table(descriptor, self._l1_offset, self._l1_entries * 8)
        tables = [entry & OFFSET for entry in l1]
        metadata = self._metadata | set(tables) - {0}
        for number, (entry, table) in enumerate(zip(l1, tables, strict=True)):
            start = number * self._reach
            length = min(self._reach, self.virtual_size - start)
            if table:
                yield from self._in_table(descriptor, table, start, length, metadata)
            elif entry & ~COPIED:
                yield Stretch(Kind.UNKNOWN, start, length)
        told = len(l1) * self._reach
        if told < self.virtual_size:
            yield Stretch(Kind.UNKNOWN, told, self.virtual_size - told)

    def _in_table(
        self, descriptor: int, table: int, start: int, length: int, metadata: set[int]
    ) -> Iterator[Stretch]:
        whole = table % self.cluster == 0
        entries = self._table(descriptor, table, self.cluster) if whole else ()
        for index in range(-(-length // self.cluster)):
            at = start + index * self.cluster
            if index >= len(entries):
                yield Stretch(Kind.UNKNOWN, at, start + length - at)
                return
            if entries[index]:
                size = min(self.cluster, self.virtual_size - at)
                yield self._entry(entries[index], at, size, metadata)

    def _entry(self, entry: int, start: int, length: int, metadata: set[int]) -> Stretch:
        if entry & COMPRESSED:
            return self._compressed(entry, start, length)
        host = entry & OFFSET
        misplaced = host % self.cluster or host in metadata or host >= self._file_size
        if misplaced or entry & ~(OFFSET | COPIED | ZERO) or not (host or entry & ZERO):
            return Stretch(Kind.LOST, start, length)
        if entry & ZERO:
            return Stretch(Kind.ZERO, start, length)
        return Stretch(Kind.DATA, start, length, host, length)

    def _compressed(self, entry: int, start: int, length: int) -> Stretch:
        bits = 62 - (self._bits - 8)
        host = entry & ((1 << bits) - 1)
        sectors = (entry >> bits & ((1 << (62 - bits)) - 1)) + 1
        size = sectors * _SECTOR - host % _SECTOR
        if not 0 < host < self._file_size:
            return Stretch(Kind.LOST, start, length)
        return Stretch(Kind.COMPRESSED, start, length, host, size)

    def _table(self, descriptor: int, offset: int, size: int) -> tuple[int, ...]:
        """The entries of a table, as many as are in the file and can be read."""
        try:
            raw = os.pread(descriptor, size, offset) if 0 < offset < self._file_size else b""
        except OSError:
            raw = b""
        return struct.unpack(f">{len(raw) // 8}Q", raw[: len(raw) // 8 * 8])


def _unreadable(path: Path, why: str) -> ImageError:
    return ImageError(
        f"{path} can't be salvaged: {why}",
        resolution="its header is damaged, or it was made by another program; see "
        f"`labctl image inspect {path}`",
    )
