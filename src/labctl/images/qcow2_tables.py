"""What a qcow2 file's tables tell, read without QEMU and with hard bounds (docs/interop/qcow2.rst).

QEMU refuses a file whose tables are broken; what is left of them is evidence all the same.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from labctl.images.qcow2 import CLUSTER_BITS, MOST_L1_BYTES, Header
from labctl.model.inspection import InternalSnapshot
from labctl.model.text import printable

_ENTRY = struct.Struct(">QIHHIIQII")
_EXTENSION = struct.Struct(">II")
_BACKING_FORMAT = 0xE2792ACA
MOST_SNAPSHOTS = 65536
_MOST_SNAPSHOT_BYTES = 64 << 20
_MOST_EXTRA = 1024
_MOST_EXTENSIONS = 64
"""All but the last are QEMU's own limits (block/qcow2.h, block/qcow2-snapshot.c)."""


class Tables(NamedTuple):
    """A file's tables; `problems` says what can't be as it stands there."""

    backing_format: str
    holds_data: bool | None
    snapshots: tuple[InternalSnapshot, ...]
    problems: tuple[str, ...]


def read_tables(file: BinaryIO, header: Header) -> Tables:
    """The tables of an open qcow2 file. Raises OSError alone."""
    problems = list(_impossible(header))
    size = os.fstat(file.fileno()).st_size
    holds = _holds_data(file, header.l1_offset, header.l1_entries * 8, size)
    if holds is None:
        problems.append(
            f"its L1 table (at {header.l1_offset}, {header.l1_entries} entries) is not in the file"
        )
    snapshots: list[InternalSnapshot] = []
    problems += _read_snapshots(file, header, snapshots)
    return Tables(_backing_format(file, header.length), holds, tuple(snapshots), tuple(problems))


def _impossible(header: Header) -> Iterator[str]:
    if header.version not in (2, 3):
        yield f"its header says version {header.version}; there are 2 and 3"
    if header.cluster_bits not in CLUSTER_BITS:
        yield f"its header says clusters of 2^{header.cluster_bits} bytes"
    if header.virtual_size >= 1 << 63:
        yield f"its header says a disk of {header.virtual_size} bytes"


def _holds_data(file: BinaryIO, offset: int, length: int, size: int) -> bool | None:
    """Whether any cluster is allocated; None where the L1 table can't be where it should."""
    if length > MOST_L1_BYTES or offset + length > size or (length and not offset):
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


def _read_snapshots(file: BinaryIO, header: Header, into: list[InternalSnapshot]) -> Iterator[str]:
    """Fill `into` with as many entries as can be; why it ends early, if it does."""
    count, offset = header.snapshots, header.snapshots_offset
    if count > MOST_SNAPSHOTS:
        yield f"its header says {count} internal snapshots; QEMU keeps {MOST_SNAPSHOTS} at most"
    if count and not offset:
        yield "its header says where its snapshot table is: at the header itself"
        return
    end = offset + _MOST_SNAPSHOT_BYTES
    for number in range(min(count, MOST_SNAPSHOTS)):
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
        into.append(InternalSnapshot(identity, name, date, large))
        offset += -(-(_ENTRY.size + extra + id_size + name_size) // 8) * 8


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    """Less than `length` where the file ends; nothing from where no file can have bytes."""
    if offset + length >= 1 << 63:
        return b""
    return os.pread(file.fileno(), length, offset)


def _text(raw: bytes) -> str:
    return printable(raw.decode(errors="replace"))
