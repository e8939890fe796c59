"""Just enough ELF to find the libraries a program links to, without running anything of the image."""

from __future__ import annotations

import struct
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB = 0, 1, 5


def needed(path: Path) -> list[str]:
    """Names of the libraries (DT_NEEDED) and the path of the loader; nothing for what is no ELF."""
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return []
    (offset,) = struct.unpack_from("<Q", data, 32)
    entry_size, count = struct.unpack_from("<HH", data, 54)
    loads: list[tuple[int, int, int]] = []
    dynamic: list[tuple[int, int]] = []
    names: list[str] = []
    for index in range(count):
        kind, _, start, address, _, size = struct.unpack_from("<IIQQQQ", data, offset + index * entry_size)
        if kind == _PT_LOAD:
            loads.append((address, start, size))
        elif kind == _PT_INTERP:
            names.append(data[start : start + size].rstrip(b"\0").decode())
        elif kind == _PT_DYNAMIC:
            dynamic = list(struct.iter_unpack("<QQ", data[start : start + size // 16 * 16]))
    if (_DT_NULL, 0) in dynamic:
        dynamic = dynamic[: dynamic.index((_DT_NULL, 0))]
    table = next((value for tag, value in dynamic if tag == _DT_STRTAB), 0)
    strings = next((f + table - a for a, f, size in loads if a <= table < a + size), 0)
    for tag, value in dynamic:
        if tag == _DT_NEEDED:
            start = strings + value
            names.append(data[start : data.index(b"\0", start)].decode())
    return names
