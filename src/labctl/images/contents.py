"""What a disk holds, read through a private overlay: the evidence itself is only ever read."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from labctl.errors import ImageError, LabctlError
from labctl.images import disk_text, guestfish, qemu_img
from labctl.images.guestfish import Disk
from labctl.model.image_name import ImageName
from labctl.model.inspection import BootLine, Chain, Contents, FileSystem, Partition, VersionClue
from labctl.model.signature import Match, Signatures, emptied, matches
from labctl.model.text import printable

DEEPEST = 100
"""Files QEMU may open at once here: at 100 that takes 0.2 s, at 1,000 minutes, at 1,847 it dies."""
MOST_FILE_BYTES = 1 << 20
_MOST_BYTES = 32 << 20
_MOST_FILES = 2000
_MOST_MATCHES = 5
_MOUNTABLE = re.compile(r"^(/dev/\S+|\w[\w/-]*): (\S+)$", re.MULTILINE)
_NEVER_MOUNTED = frozenset({"unknown", "swap", "crypto_LUKS", "LVM2_member"})


class _Budget:
    """How much may still be read: a disk can hold any number of logs of any size."""

    def __init__(self) -> None:
        self.files = _MOST_FILES
        self.bytes = _MOST_BYTES


@dataclass
class _Found:
    """Filled while a disk is read."""

    systems: list[FileSystem] = field(default_factory=list)
    boot_lines: list[BootLine] = field(default_factory=list)
    boot_files: list[str] = field(default_factory=list)
    versions: list[VersionClue] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How to read: what the name claims, what to look for, whether KVM works for the appliance."""

    claims: ImageName | None
    signatures: Signatures
    kvm: bool


def read_contents(top: Path, chain: Chain, reading: Reading) -> Contents:
    """What is on the disk of `top`, an absolute path.

    Raises ImageError only when guestfish is not installed. A disk that can't be read is one with a
    `problem`. Of a chain too deep for QEMU the highest layer that it bears is read, and how many
    of those above hold data is told.
    """
    guestfish.need_program()
    above = max(0, len(chain.layers) - DEEPEST)
    layer = chain.layers[above]
    contents = Contents(
        layer=layer.path,
        skipped=above,
        skipped_with_data=sum(skipped.holds_data is not False for skipped in chain.layers[:above]),
    )
    if problem := _unreadable(chain):
        return contents._replace(problem=problem)
    path = Path(layer.path) if above else top
    try:
        with tempfile.TemporaryDirectory(prefix="labctl-inspect-") as scratch:
            return _read(path, layer.format, contents, reading, Path(scratch))
    except (LabctlError, OSError) as error:
        words = f": {error.details}" if isinstance(error, LabctlError) and error.details else ""
        return contents._replace(problem=f"not readable: {error}{words}")


def _unreadable(chain: Chain) -> str:
    """Why QEMU can't be given the chain; "" when it can."""
    if chain.fault:
        return f"not read: {chain.fault}"
    for layer in chain.layers:
        if layer.format in ("unknown", "ova"):
            return f"not read: {layer.path} is no disk image that QEMU opens by itself"
        if layer.encrypted:
            return f"not read: {layer.path} is encrypted"
        if layer.data_file:
            return f"not read: the data of {layer.path} is in another file"
    return ""


def _read(
    path: Path, image_format: str, contents: Contents, reading: Reading, scratch: Path
) -> Contents:
    size = int(qemu_img.info(path, image_format)["virtual-size"])
    overlay = scratch / "view.qcow2"
    qemu_img.create_overlay(path, overlay, size, golden_format=image_format)
    opened = qemu_img.examine(overlay)  # opens all below it, and says what the appliance would not
    if opened.standing is qemu_img.Standing.UNREADABLE:
        return contents._replace(problem=f"not readable: {opened.words}")
    with guestfish.booted(overlay, scratch, kvm=reading.kvm) as disk:
        table, partitions = _table(disk)
        found = _Found()
        budget = _Budget()
        for device, kind in _MOUNTABLE.findall(disk.ask("list-filesystems")):
            _read_system(disk, device, kind, reading, found, budget)
    return contents._replace(
        table=table,
        partitions=partitions,
        file_systems=tuple(found.systems),
        boot_lines=tuple(found.boot_lines),
        boot_files=tuple(found.boot_files),
        versions=tuple(found.versions),
        matches=tuple(found.matches),
        unread=tuple(found.unread),
    )


def _table(disk: Disk) -> tuple[str, tuple[Partition, ...]]:
    """The partition table's kind, "" where there is none, and its entries."""
    try:
        table = disk.ask("part-get-parttype", "/dev/sda").strip()
        listed = disk.ask("part-list", "/dev/sda")
    except ImageError:
        return "", ()
    kinds = {}
    for number in re.findall(r"part_num: (\d+)", listed):
        if table == "gpt":
            words = (
                _told(disk, "part-get-gpt-type", number),
                _told(disk, "part-get-gpt-guid", number),
            )
        else:
            words = (_told(disk, "part-get-mbr-id", number), "")
        kinds[int(number)] = words
    return table, disk_text.partitions(listed, kinds)


def _told(disk: Disk, command: str, number: str) -> str:
    try:
        return printable(disk.ask(command, "/dev/sda", number).strip())
    except ImageError:
        return ""


def _read_system(
    disk: Disk, device: str, kind: str, reading: Reading, found: _Found, budget: _Budget
) -> None:
    if kind in _NEVER_MOUNTED:
        found.systems.append(FileSystem(device, kind))
        return
    past, label = disk_text.Ext(), ""
    try:
        label = printable(disk.ask("vfs-label", device).strip())
        if kind.startswith("ext"):
            past = disk_text.ext_state(disk.ask("tune2fs-l", device))
        disk.mount(device)
        names = disk.names()
    except ImageError as error:
        problem = printable(str(error))
        told = FileSystem(device, kind, label, None, past.mounts, past.last_mounted, problem)
        found.systems.append(told._replace(state=past.state))
        return
    told = FileSystem(device, kind, label, len(names), past.mounts, past.last_mounted)
    found.systems.append(told._replace(state=past.state))
    for name in names:
        _look_at(disk, device, name, reading, found, budget)


def _look_at(
    disk: Disk, device: str, name: bytes, reading: Reading, found: _Found, budget: _Budget
) -> None:
    """One path of a file system: what its name tells, and where it may tell more, its text."""
    path = printable(name.decode(errors="replace"))
    if disk_text.is_boot_loader(path):
        found.boot_files.append(f"{device}:{path}")
    is_image = disk_text.is_boot_image(path)
    if not is_image and not _is_text(path, reading):
        return
    if budget.files <= 0:
        if budget.files == 0:
            found.unread.append(f"{device}: more than {_MOST_FILES} files to read; no more were")
        budget.files -= 1
        return
    budget.files -= 1
    try:
        size = disk.size(name)
        if size is None:
            return
        if is_image and (clue := disk_text.boot_image_clue(device, path, reading.claims)):
            found.versions.append(clue)
        if size == 0:
            found.matches += emptied(reading.signatures, device, path)
        elif _is_text(path, reading):
            _read_text(device, path, _text(disk, device, name, size, found, budget), reading, found)
    except ImageError as error:
        found.unread.append(f"{device}:{path}: {printable(str(error))}")


def _is_text(path: str, reading: Reading) -> bool:
    return (
        disk_text.is_boot_configuration(path)
        or disk_text.is_version_file(path)
        or reading.signatures.concern(path)
    )


def _text(disk: Disk, device: str, name: bytes, size: int, found: _Found, budget: _Budget) -> str:
    path = printable(name.decode(errors="replace"))
    length = min(size, MOST_FILE_BYTES, budget.bytes)
    if length < size:
        found.unread.append(f"{device}:{path}: the first {length} of {size} bytes were read")
    budget.bytes -= length
    return disk.read(name, length).decode(errors="replace") if length else ""


def _read_text(device: str, path: str, text: str, reading: Reading, found: _Found) -> None:
    if disk_text.is_boot_configuration(path):
        found.boot_lines += disk_text.boot_lines(device, path, text)
    if disk_text.is_version_file(path):
        found.versions += disk_text.version_clues(device, path, text, reading.claims)
    found.matches += matches(reading.signatures, device, path, text, most=_MOST_MATCHES)
