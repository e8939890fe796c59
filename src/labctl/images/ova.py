"""The disk in an .ova: a tar archive from anywhere, so nothing in it is believed.

Only the one member that is asked for is ever read out, to a path of labctl's own; its name decides
nothing. What an archive of a virtual machine has no business to hold makes the whole be refused.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from labctl.errors import ImageError
from labctl.images.formats import Format, format_at

_MOST_MEMBERS = 1000
_LARGEST_OVF = 4 << 20
_CHUNK = 4 << 20
_DISKS = (".vmdk", ".qcow2", ".img", ".raw")
_FILE = re.compile(rb"<(?:\w+:)?File\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""(?:\w+:)?(href|size)\s*=\s*["']([^"']*)["']""")
"""An OVF's references (DMTF DSP0243, 7.1): `<File ovf:href="disk1.vmdk" ovf:size="1024"/>`."""
Told = Callable[[int, int], None]


class Member(NamedTuple):
    """A disk within an archive: where its bytes lie."""

    name: str
    offset: int
    size: int
    format: Format


def find_disk(archive: Path, wanted: str = "") -> Member:
    """The one disk of the archive, or the one named `wanted`.

    Raises ImageError when a member is hostile, a size lies, or the disk is not plain to see.
    """
    try:
        with tarfile.open(archive, mode="r:") as tar:
            members = _members(tar, archive)
            _compare_sizes(tar, archive, members)
    except (tarfile.TarError, EOFError) as error:
        raise _refused(archive, f"it is no sound tar archive: {error}") from None
    return _disk(archive, [*members.values()], wanted)


def extract(archive: Path, member: Member, to: Path, told: Told) -> None:
    """Write the member's bytes to `to`, leaving holes for zeros; `told` hears of done and total."""
    left = member.size
    with archive.open("rb") as source, to.open("wb") as target:
        source.seek(member.offset)
        while left:
            chunk = source.read(min(_CHUNK, left))
            if not chunk:
                raise _refused(archive, f"it ends within {member.name}")
            left -= len(chunk)
            if chunk.strip(b"\0"):
                target.write(chunk)
            else:
                target.seek(len(chunk), 1)
            told(member.size - left, member.size)
        target.truncate(member.size)
        os.fsync(target.fileno())


def _members(tar: tarfile.TarFile, archive: Path) -> dict[str, tarfile.TarInfo]:
    """All members by name, each of them harmless."""
    length = archive.stat().st_size
    members: dict[str, tarfile.TarInfo] = {}
    for count, member in enumerate(tar, start=1):
        if count > _MOST_MEMBERS:
            raise _refused(archive, f"it has more than {_MOST_MEMBERS} members")
        if fault := _fault(member, length):
            raise _refused(archive, f"its member {member.name!r} {fault}")
        if member.name in members:
            raise _refused(archive, f"it has {member.name!r} twice")
        members[member.name] = member
    return members


def _fault(member: tarfile.TarInfo, length: int) -> str:
    """Why a member is hostile; "" if it isn't."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not path.name:
        return "points out of the archive"
    if not member.isreg() or member.issparse():
        return "is no plain file"
    if member.size < 0 or member.offset_data + member.size > length:
        return f"says to be of {member.size} bytes, more than there are"
    return ""


def _compare_sizes(
    tar: tarfile.TarFile, archive: Path, members: dict[str, tarfile.TarInfo]
) -> None:
    """The .ovf's word on its files against what is there."""
    for member in members.values():
        if not member.name.lower().endswith(".ovf"):
            continue
        if member.size > _LARGEST_OVF:
            raise _refused(archive, f"{member.name} is of {member.size} bytes")
        file = tar.extractfile(member)
        for tag in _FILE.findall(file.read() if file else b""):
            said = {
                key.decode(): value.decode("utf-8", "replace")
                for key, value in _ATTRIBUTE.findall(tag)
            }
            there = members.get(said.get("href", ""))
            if there and said.get("size", str(there.size)) != str(there.size):
                raise _refused(
                    archive,
                    f"{there.name} has {there.size} bytes, {member.name} says {said['size']}",
                )


def _disk(archive: Path, members: list[tarfile.TarInfo], wanted: str) -> Member:
    disks = [m for m in members if PurePosixPath(m.name).suffix.lower() in _DISKS]
    if wanted:
        disks = [m for m in members if m.name == wanted]
    names = ", ".join(m.name for m in (disks or members)) or "nothing"
    if len(disks) != 1:
        what = f"no member {wanted!r}" if wanted else f"{len(disks) or 'no'} disks"
        raise ImageError(
            f"{archive} has {what}",
            details=f"it has: {names}",
            resolution="name one with `--disk MEMBER`" if members else "get it again",
        )
    (disk,) = disks
    with archive.open("rb") as file:
        file.seek(disk.offset_data)
        found = format_at(file, f"{disk.name} in {archive}", disk.size)
    if found is Format.OVA:
        raise _refused(archive, f"its disk {disk.name!r} is an archive itself")
    return Member(disk.name, disk.offset_data, disk.size, found)


def _refused(archive: Path, why: str) -> ImageError:
    return ImageError(
        f"{archive} is not taken: {why}",
        resolution="get it again from its publisher, and compare its checksum",
    )
