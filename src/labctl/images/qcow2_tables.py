"""What a qcow2 file's tables tell, read without QEMU and with hard bounds (docs/interop/qcow2.rst).

QEMU refuses a file whose tables are broken; what is left of them is evidence all the same.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from labctl.images.qcow2 import MAGIC
from labctl.model.inspection import SavedState
from labctl.model.signature import printable

_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
_ENTRY = struct.Struct(">QIHHIIQII")
_EXTENSION = struct.Struct(">II")
_BACKING_FORMAT = 0xE2792ACA
_CLUSTER_BITS = range(9, 22)
"""512 bytes to 2 MiB: what QEMU takes."""
_MOST_SNAPSHOTS = 65536
_MOST_SNAPSHOT_BYTES = 64 << 20
_MOST_EXTRA = 1024
_MOST_L1 = 32 << 20
_MOST_EXTENSIONS = 64
"""All but the last are QEMU's own limits (block/qcow2.h, block/qcow2-snapshot.c)."""


class Tables(NamedTuple):
    """A file's tables; `problems` says what can't be as it stands there."""

    version: int
    cluster_size: int
    backing_format: str
    holds_data: bool | None
    snapshots: tuple[SavedState, ...]
    problems: tuple[str, ...]


def read_tables(file: BinaryIO) -> Tables | None:
    """The tables of an open qcow2 file, None for what is none. Raises OSError alone."""
    raw = _read(file, 0, _HEADER.size)
    if len(raw) < _HEADER.size or raw[:4] != MAGIC:
        return None
    fields = _HEADER.unpack(raw)
    version, bits, l1_size, l1_offset, count, offset = (
        fields[place] for place in (1, 4, 7, 8, 11, 12)
    )
    problems = list(_impossible(version, bits, fields[5]))
    size = os.fstat(file.fileno()).st_size
    length = 72 if version < 3 else int.from_bytes(_read(file, 100, 4), "big")
    holds = _holds_data(file, l1_offset, l1_size, size)
    if holds is None:
        problems.append(f"its L1 table (at {l1_offset}, {l1_size} entries) is not in the file")
    snapshots: list[SavedState] = []
    problems += _read_snapshots(file, offset, count, snapshots)
    return Tables(
        version=version,
        cluster_size=1 << bits if bits in _CLUSTER_BITS else 0,
        backing_format=_backing_format(file, length),
        holds_data=holds,
        snapshots=tuple(snapshots),
        problems=tuple(problems),
    )


def _impossible(version: int, bits: int, size: int) -> Iterator[str]:
    if version not in (2, 3):
        yield f"its header says version {version}; there are 2 and 3"
    if bits not in _CLUSTER_BITS:
        yield f"its header says clusters of 2^{bits} bytes"
    if size >= 1 << 63:
        yield f"its header says a disk of {size} bytes"


def _holds_data(file: BinaryIO, offset: int, entries: int, size: int) -> bool | None:
    """Whether any cluster is allocated; None where the L1 table can't be where it should."""
    length = entries * 8
    if length > _MOST_L1 or offset + length > size or (length and not offset):
        return None
    return any(_read(file, offset, length))


def _backing_format(file: BinaryIO, offset: int) -> str:
    for _ in range(_MOST_EXTENSIONS):
        head = _read(file, offset, _EXTENSION.size)
        if len(head) < _EXTENSION.size:
            return ""
        kind, length = _EXTENSION.unpack(head)
        if kind == _BACKING_FORMAT:
            return _text(_read(file, offset + _EXTENSION.size, min(length, 16)))
        if not kind:
            return ""
        offset += _EXTENSION.size + -(-length // 8) * 8
    return ""


def _read_snapshots(
    file: BinaryIO, offset: int, count: int, into: list[SavedState]
) -> Iterator[str]:
    """Fill `into` with as many entries as can be; why it ends early, if it does."""
    if count > _MOST_SNAPSHOTS:
        yield f"its header says {count} internal snapshots; QEMU keeps {_MOST_SNAPSHOTS} at most"
    end = offset + _MOST_SNAPSHOT_BYTES
    for number in range(min(count, _MOST_SNAPSHOTS)):
        head = _read(file, offset, _ENTRY.size)
        if len(head) < _ENTRY.size:
            yield f"its snapshot table ends after {number} of {count} entries"
            return
        _, _, id_size, name_size, seconds, _, _, state, extra = _ENTRY.unpack(head)
        if extra > _MOST_EXTRA or offset >= end:
            yield f"entry {number + 1} of its snapshot table is garbage"
            return
        tail = _read(file, offset + _ENTRY.size, extra + id_size + name_size)
        large = int.from_bytes(tail[:8], "big") if extra >= 8 else state
        words = tail[extra:]
        date = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
        identity, name = _text(words[:id_size]), _text(words[id_size:])
        into.append(SavedState(identity, name, date, large))
        offset += -(-(_ENTRY.size + extra + id_size + name_size) // 8) * 8


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    """Less than `length` where the file ends; nothing from where no file can have bytes."""
    if offset + length >= 1 << 63:
        return b""
    return os.pread(file.fileno(), length, offset)


def _text(raw: bytes) -> str:
    return printable(raw.decode(errors="replace"))
