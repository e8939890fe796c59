"""Read out of damaged qcow2 files what can be read, layer on layer, into one sparse raw disk.

The bottom goes first and each layer is painted over what is there, one file open at a time: a chain
that QEMU can't open, for its depth or its damage, is no harder than a short one.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labctl.images.entries import Kind, Layer, Stretch
from labctl.images.ranges import Ranges

_BLOCK = 4096
"""Bytes. Where the host's disk fails, what is around the bad spot is read in blocks of these."""
_LONGEST = 4 << 20
"""Bytes read at once where clusters lie in a row."""
_RAW_DEFLATE = -12
"""zlib's windowBits for qcow2's compressed clusters (block/qcow2-threads.c)."""


@dataclass(slots=True)
class Loss:
    """What one layer no longer tells, in clusters."""

    path: Path
    clusters: int = 0
    tables: int = 0
    """Stretches whose table is gone."""
    doubled: int = 0
    """Clusters that two places of the disk claim: one of both shows the other's bytes."""

    def __bool__(self) -> bool:
        return bool(self.clusters or self.tables or self.doubled)


class Canvas:
    """The raw disk that layers are painted on, and what of it is not what it was."""

    def __init__(self, raw: Path, virtual_size: int) -> None:
        self._descriptor = os.open(raw, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._size = virtual_size
        self.read = 0
        """Bytes taken from the files, of all layers."""
        self.lost = Ranges()
        """Read as zeros, or as what a lower layer had there, and had other content once."""
        self.doubtful = Ranges()
        """Claimed by two places of the disk."""

    def close(self) -> None:
        """Let go of the file, at the size of the disk."""
        os.ftruncate(self._descriptor, self._size)
        os.close(self._descriptor)

    def paint(self, layer: Layer) -> Loss:
        """Put what `layer` has over what is there."""
        loss = Loss(layer.path)
        # What lies beyond the end of a layer is not seen through it, whatever is below.
        os.ftruncate(self._descriptor, layer.virtual_size)
        self.lost.remove(layer.virtual_size, 1 << 63)
        source = os.open(layer.path, os.O_RDONLY)
        try:
            for stretch in _joined(self._told_twice(layer.stretches(source), loss)):
                self._paint(source, stretch, loss, layer.cluster)
        finally:
            os.close(source)
        return loss

    def _told_twice(self, stretches: Iterator[Stretch], loss: Loss) -> Iterator[Stretch]:
        """The same; places that claim the same cluster are noted as doubtful."""
        seen: dict[int, Stretch] = {}
        for stretch in stretches:
            if stretch.kind is not Kind.UNKNOWN:
                self.doubtful.remove(stretch.start, stretch.start + stretch.length)
            if stretch.kind is Kind.DATA:
                first = seen.setdefault(stretch.host, stretch)
                if first is not stretch:
                    loss.doubled += 1
                    for one in (first, stretch):
                        self.doubtful.add(one.start, one.start + one.length)
            yield stretch

    def _paint(self, source: int, stretch: Stretch, loss: Loss, cluster: int) -> None:
        start, end = stretch.start, stretch.start + stretch.length
        if stretch.kind is Kind.UNKNOWN:
            loss.tables += 1
            self.lost.add(start, end)
            return
        self.lost.remove(start, end)
        if stretch.kind is Kind.DATA:
            missing = self._copy(source, stretch)
            loss.clusters += len({at // cluster for at in missing})
        elif stretch.kind is Kind.COMPRESSED and (content := _inflated(source, stretch, cluster)):
            self._write(content[: stretch.length], start)
        else:
            self._blank(start, end)
            if stretch.kind is not Kind.ZERO:
                loss.clusters += -(-stretch.length // cluster)
                self.lost.add(start, end)

    def _copy(self, source: int, stretch: Stretch) -> list[int]:
        """Copy it; the places on the disk where the file gave nothing."""
        try:
            content = os.pread(source, stretch.length, stretch.host)
        except OSError:
            content = b""
        self._write(content, stretch.start)
        missing = []
        for offset in range(len(content), stretch.length, _BLOCK):
            size = min(_BLOCK, stretch.length - offset)
            at = stretch.start + offset
            block = _block(source, size, stretch.host + offset)
            self._write(block, at)
            if len(block) < size:
                self._blank(at + len(block), at + size)
                self.lost.add(at + len(block), at + size)
                missing.append(at)
        return missing

    def _write(self, content: bytes, at: int) -> None:
        self.read += len(content)
        while content:
            written = os.pwrite(self._descriptor, content, at)
            content, at = content[written:], at + written

    def _blank(self, start: int, end: int) -> None:
        """Zeros, written only where there is something: holes stay holes."""
        at = start
        while at < end:
            try:
                at = os.lseek(self._descriptor, at, os.SEEK_DATA)
            except OSError:  # ENXIO: a hole to the end
                return
            hole = min(end, os.lseek(self._descriptor, at, os.SEEK_HOLE))
            while at < hole:
                at += os.pwrite(self._descriptor, bytes(min(_LONGEST, hole - at)), at)


def _joined(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    """Clusters that follow each other on the disk and in the file, as one stretch."""
    held: Stretch | None = None
    for stretch in stretches:
        if held is not None and _continues(held, stretch):
            length = held.length + stretch.length
            held = held._replace(length=length, size=length)
            continue
        if held is not None:
            yield held
        held = stretch
    if held is not None:
        yield held


def _continues(one: Stretch, other: Stretch) -> bool:
    return (
        one.kind is Kind.DATA is other.kind
        and one.start + one.length == other.start
        and one.host + one.length == other.host
        and one.length < _LONGEST
    )


def _block(source: int, size: int, at: int) -> bytes:
    try:
        return os.pread(source, size, at)
    except OSError:
        return b""


def _inflated(source: int, stretch: Stretch, cluster: int) -> bytes:
    """The cluster, unpacked; nothing where it is damaged."""
    try:
        packed = os.pread(source, stretch.size, stretch.host)
        content = zlib.decompressobj(_RAW_DEFLATE).decompress(packed, cluster)
    except (OSError, zlib.error):
        return b""
    return content if len(content) == cluster else b""
