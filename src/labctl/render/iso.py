"""A flat ISO 9660 image with Rock Ridge names: the same files make the same bytes.

Written here because the libraries that make such images stamp them with the clock, the time zone
or random numbers, and a day-0 medium must be comparable by digest. Section numbers are those of
ECMA-119; Rock Ridge is IEEE P1282 (RRIP 1.09), which Linux and the BSDs read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

_SECTOR = 2048
_FIRST_DESCRIPTOR, _PATH_TABLE_LE, _PATH_TABLE_BE, _ROOT, _FIRST_FILE = 16, 18, 19, 20, 21
_RECORD_DATE = bytes([100, 1, 1, 0, 0, 0, 0])  # 2000-01-01 00:00:00 UTC (9.1.5)
_VOLUME_DATE = b"2000010100000000\0"  # the same (8.4.26.1)
_NO_DATE = b"0" * 16 + b"\0"
_DIRECTORY, _FILE = 0o040555, 0o100444


def build(label: str, files: Mapping[str, bytes]) -> bytes:
    """The image's bytes. `label` is the volume identifier: up to 32 of A-Z, 0-9 and `_`.

    Raises ValueError when the names don't fit into one directory sector or clash when upper-cased.
    """
    records, sectors = [], []
    position = _FIRST_FILE
    for identifier, name in sorted((_identifier(name), name) for name in files):
        content = files[name]
        sectors.append(content + bytes(-len(content) % _SECTOR))
        use = _posix(_FILE) + _entry(b"NM", b"\0" + name.encode())
        records.append(_record(identifier, position, len(content), 0, use))
        position += len(sectors[-1]) // _SECTOR
    if len({_identifier(name) for name in files}) < len(files):
        raise ValueError("two names are one when upper-cased")
    directory = _directory(records)
    descriptor = _primary_descriptor(label, position)
    terminator = _sector(b"\xffCD001\1")
    tables = _sector(_path_table("<")) + _sector(_path_table(">"))
    system_area = bytes(_FIRST_DESCRIPTOR * _SECTOR)
    return b"".join([system_area, descriptor, terminator, tables, directory, *sectors])


def _sector(content: bytes) -> bytes:
    if len(content) > _SECTOR:
        raise ValueError("more names than one directory sector holds")
    return content.ljust(_SECTOR, b"\0")


def _identifier(name: str) -> bytes:
    """NAME.EXTENSION;1 in the few characters ISO 9660 allows (7.5)."""
    stem, _, extension = name.upper().partition(".")
    parts = [
        "".join(c if c.isascii() and c.isalnum() else "_" for c in p) for p in (stem, extension)
    ]
    return f"{parts[0]}.{parts[1]};1".encode()


def _both32(value: int) -> bytes:
    """A number in both byte orders (7.3.3)."""
    return struct.pack("<I", value) + struct.pack(">I", value)


def _both16(value: int) -> bytes:
    """A number in both byte orders (7.2.3)."""
    return struct.pack("<H", value) + struct.pack(">H", value)


def _record(identifier: bytes, sector: int, size: int, flags: int, use: bytes) -> bytes:
    """A directory record (9.1); `use` is its system use area, where Rock Ridge lives."""
    fixed = _both32(sector) + _both32(size) + _RECORD_DATE + bytes([flags, 0, 0]) + _both16(1)
    body = fixed + bytes([len(identifier)]) + identifier
    padded = body + bytes((len(body)) % 2)
    use += bytes(len(use) % 2)
    return bytes([2 + len(padded) + len(use), 0]) + padded + use


def _entry(signature: bytes, data: bytes) -> bytes:
    """A system use entry (SUSP 1.09, section 4.1)."""
    return signature + bytes([4 + len(data), 1]) + data


def _posix(mode: int) -> bytes:
    """Mode, link count, owner and group (RRIP 4.1.1)."""
    return _entry(b"PX", _both32(mode) + _both32(1) + _both32(0) + _both32(0))


def _directory(records: list[bytes]) -> bytes:
    """The root directory: itself, its parent (itself again), and the files."""
    rock_ridge = _entry(b"ER", bytes([10, 0, 0, 1]) + b"RRIP_1991A")
    here = _entry(b"SP", b"\xbe\xef\0") + _posix(_DIRECTORY) + rock_ridge
    own = _record(b"\0", _ROOT, _SECTOR, 2, here)
    parent = _record(b"\1", _ROOT, _SECTOR, 2, _posix(_DIRECTORY))
    return _sector(b"".join([own, parent, *records]))


def _path_table(order: str) -> bytes:
    """The root directory's entry (9.4)."""
    return struct.pack(f"{order}BBIH", 1, 0, _ROOT, 1) + b"\0\0"


def _primary_descriptor(label: str, sectors: int) -> bytes:
    """The volume descriptor (8.4), field by field."""
    fields = [
        b"\1CD001\1\0" + b" " * 32,
        label.encode("ascii").ljust(32) + bytes(8),
        _both32(sectors) + bytes(32),
        _both16(1) + _both16(1) + _both16(_SECTOR),
        _both32(len(_path_table("<"))),
        struct.pack("<II", _PATH_TABLE_LE, 0) + struct.pack(">II", _PATH_TABLE_BE, 0),
        _record(b"\0", _ROOT, _SECTOR, 2, b""),
        b" " * (4 * 128 + 3 * 37),
        _VOLUME_DATE * 2 + _NO_DATE * 2,
        b"\1\0",
    ]
    return _sector(b"".join(fields))
