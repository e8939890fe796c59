"""Disk images' formats, told by their first bytes; nothing is opened, so nothing can be tricked.

QEMU's own guess is no help: what it knows no magic of it takes for a raw disk, and a raw disk's
content can pose as any format. Here a file must be plainly one thing.
"""

from __future__ import annotations

import re
import struct
from enum import StrEnum
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from labctl.errors import ImageError
from labctl.images.qcow2 import MAGIC as QCOW2_MAGIC


class Format(StrEnum):
    """What a file to import can be."""

    QCOW2 = "qcow2"
    VMDK = "vmdk"
    RAW = "raw"
    OVA = "ova"


SECTOR = 512
_HEAD_BYTES = 5120  # up to a GPT header on a disk of 4 KiB sectors
_MBR_SIGNATURE = b"\x55\xaa"
_MBR_ENTRIES = range(446, 510, 16)
_GPT = b"EFI PART"
_GPT_PLACES = (512, 4096)
_TAR_MAGIC = (b"ustar", 257)
_VMDK_MAGIC = b"KDMV"
_VMDK_HEADER = struct.Struct("<4sIIQQQQ")
"""Magic, version, flags, capacity, grain size, descriptor's place and size, in sectors (VMware's
Virtual Disk Format 5.0, "Hosted Sparse Extents")."""
_VMDK_DESCRIPTOR_MOST = 20 * SECTOR * 10
_PARENT = re.compile(rb'parentFileNameHint\s*=\s*"([^"]*)"')
_OTHERS = (
    (0, b"# Disk DescriptorFile", "a VMDK's description, whose data is in other files"),
    (0, b"COWD", "an extent of a VMDK, without its description"),
    (0, b"QED\0", "a QED image"),
    (0, b"conectix", "a VHD image"),
    (0, b"vhdxfile", "a VHDX image"),
    (64, b"\x7f\x10\xda\xbe", "a VDI image"),
    (0, b"LUKS\xba\xbe", "an encrypted disk (LUKS)"),
    (0, b"\x1f\x8b", "compressed with gzip"),
    (0, b"BZh", "compressed with bzip2"),
    (0, b"\xfd7zXZ\0", "compressed with xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (0, b"PK\x03\x04", "a ZIP archive"),
)
"""What is met instead of an image, by its magic bytes (their formats' own documents)."""


def format_of(path: Path) -> Format:
    """What `path` is. Raises ImageError when that is nothing labctl takes, or not plain to see.

    Raises OSError when it can't be read.
    """
    status = path.stat()
    if not S_ISREG(status.st_mode):
        raise ImageError(
            f"{path} is no file", resolution="give a disk image: qcow2, raw, vmdk or ova"
        )
    with path.open("rb") as file:
        return format_at(file, str(path), status.st_size)


def format_at(file: BinaryIO, name: str, size: int) -> Format:
    """As `format_of`, of the `size` bytes that begin where `file` stands; `name` is for errors."""
    start = file.tell()
    head = file.read(min(size, _HEAD_BYTES))
    file.seek(start)
    found = [kind for kind, is_it in _SIGNS.items() if is_it(head)]
    if len(found) != 1:
        raise _unclear(name, head, found)
    if found == [Format.RAW] and size % SECTOR:
        raise ImageError(
            f"{name} is a raw disk cut short: {size} bytes are no whole sectors",
            resolution="get it again",
        )
    return found[0]


def refuse_unfit_vmdk(path: Path) -> None:
    """Raise ImageError when a VMDK file does not hold its whole disk itself."""
    with path.open("rb") as file:
        raw = file.read(_VMDK_HEADER.size)
        if len(raw) < _VMDK_HEADER.size:
            raise ImageError(f"{path} is cut short: {len(raw)} bytes", resolution="get it again")
        _, _, _, capacity, _, place, size = _VMDK_HEADER.unpack(raw)
        file.seek(min(place * SECTOR, path.stat().st_size))
        text = file.read(min(size * SECTOR, _VMDK_DESCRIPTOR_MOST))
    if not capacity:
        # QEMU then reads the description, which may name any file of this host as its data.
        raise ImageError(
            f"{path} holds no disk, only its description: the data is in other files",
            resolution="make one file of it: `vmkfstools -i SOURCE NEW.vmdk` on its host",
        )
    if (parent := _PARENT.search(text)) is not None:
        raise ImageError(
            f"{path} is a delta that stands on {parent[1].decode(errors='replace')!r}",
            resolution="consolidate its snapshots where it comes from, or clone it: "
            "`vmkfstools -i SOURCE NEW.vmdk`",
        )


def _is_qcow2(head: bytes) -> bool:
    return head.startswith(QCOW2_MAGIC) and head[4:8] in (b"\0\0\0\2", b"\0\0\0\3")


def _is_vmdk(head: bytes) -> bool:
    return head.startswith(_VMDK_MAGIC)


def _is_tar(head: bytes) -> bool:
    magic, place = _TAR_MAGIC
    return head[place : place + len(magic)] == magic


def _is_partitioned(head: bytes) -> bool:
    """A GPT, or an MBR with at least one partition: each is off or on, and of some type."""
    if any(head[place : place + len(_GPT)] == _GPT for place in _GPT_PLACES):
        return True
    if head[510:512] != _MBR_SIGNATURE:
        return False
    entries = [head[place : place + 16] for place in _MBR_ENTRIES]
    sane = all(entry[0] in (0, 0x80) for entry in entries)
    return sane and any(entry[4] for entry in entries)


_SIGNS = {
    Format.QCOW2: _is_qcow2,
    Format.VMDK: _is_vmdk,
    Format.OVA: _is_tar,
    Format.RAW: _is_partitioned,
}


def _unclear(name: str, head: bytes, found: list[Format]) -> ImageError:
    what = next((what for at, magic, what in _OTHERS if head[at:].startswith(magic)), "")
    if not head:
        return ImageError(f"{name} is empty", resolution="get it again")
    if found:
        brief = f"{name} could be {' or '.join(found)}"
    elif what:
        brief = f"{name} is {what}"
    else:
        brief = f"{name} is no disk image that labctl knows"
    return ImageError(
        brief,
        details="its first bytes are those of no disk image, and it has no partition table"
        if not found
        else "bytes of both formats are where they belong",
        resolution="give a qcow2, vmdk or ova, or a raw disk with a partition table; "
        "`qemu-img convert -f FORMAT -O qcow2` makes one of other formats",
    )
