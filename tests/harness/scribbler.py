"""A machine of 512 bytes that writes to its disk for as long as it runs: a node whose overlay
and memory are never the same twice, without a guest to boot.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from labctl.images.store import ImageStore

NAME = "scribbler"
SPAN = 512 * 1024
"""Bytes from FIRST on that it writes over and over."""
FIRST = 2048 * 512

_CODE = bytes.fromhex(
    "31c0 8ed8 8ec0 8ed0"  # all segments 0
    "bc007c fb"  # stack below the code; interrupts on
    "be007d b80043 b280 cd13"  # again: BIOS, write (int 13h, ah=43h) what the packet says
    "ff06087d 8026097d03 800e097d08"  # the next sector, of those from 2048 to 3071
    "ff060080"  # count, in what is written
    "ebe2"  # again
)
_PACKET = bytes.fromhex("1000 0100 0080 0000 0008000000000000")
"""One sector from 0000:8000 to sector 2048 (INT 13h extensions, EDD-3 3.2)."""
_AT = 0x100


def add_scribbler(store: ImageStore, folder: Path) -> None:
    """Put the machine's disk into the store, as NAME."""
    sector = (_CODE.ljust(_AT, b"\0") + _PACKET).ljust(510, b"\0") + b"\x55\xaa"
    raw, disk = folder / "scribbler.raw", folder / "scribbler.qcow2"
    with raw.open("wb") as file:
        file.write(sector)
        file.truncate(16 * 1024**2)
    command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(disk)]
    subprocess.run(command, check=True)
    store.add(disk, name=NAME, source="made by the tests")
