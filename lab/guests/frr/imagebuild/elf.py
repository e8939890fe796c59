"""Just enough ELF to find the libraries a program links to, running nothing of the image."""

from __future__ import annotations

import struct
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB = 0, 1, 5


def needed(path: Path) -> list[str]:
    """Names of the libraries and the path of the loader; nothing for what is no 64-bit ELF."""
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return []
    segments = _segments(data)
    loaders = [_string(data, start) for kind, _, start, _ in segments if kind == _PT_INTERP]
    dynamic = _dynamic(data, segments)
    tables = [value for tag, value in dynamic if tag == _DT_STRTAB]
    if not tables:
        return loaders
    strings = _file_offset(segments, tables[0])
    return loaders + [_string(data, strings + value) for tag, value in dynamic if tag == _DT_NEEDED]


def _segments(data: bytes) -> list[tuple[int, int, int, int]]:
    """Program headers as (type, virtual address, file offset, size in the file)."""
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = (struct.unpack_from("<IIQQQQ", data, table + n * size) for n in range(count))
    return [(kind, address, start, length) for kind, _, start, address, _, length in headers]


def _dynamic(data: bytes, segments: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    entries: list[tuple[int, int]] = []
    for kind, _, start, length in segments:
        if kind == _PT_DYNAMIC:
            for tag, value in struct.iter_unpack("<QQ", data[start : start + length // 16 * 16]):
                if tag == _DT_NULL:
                    break
                entries.append((tag, value))
    return entries


def _file_offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, base, start, length in segments:
        if kind == _PT_LOAD and base <= address < base + length:
            return start + address - base
    raise ValueError(f"no segment holds address {address:#x}")


def _string(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode()
