"""What the text of a disk's files tells: boot entries, consoles, releases. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from labctl.model.image_name import ImageName
from labctl.model.inspection import UNREPLAYED, BootLine, Partition, VersionClue
from labctl.model.release import Release, parse_release
from labctl.model.text import printable

_BOOT_CONFIGURATION = re.compile(
    r"(^|/)(grub\.cfg|grub\.conf|menu\.lst[^/]*|syslinux\.cfg|extlinux\.conf|isolinux\.cfg"
    r"|loader/entries/[^/]+\.conf)$",
    re.IGNORECASE,
)
_BOOT_LOADER = re.compile(
    r"\.efi$|(^|/)(ldlinux\.sys|extlinux\.sys|grub/(stage2|i386-pc/core\.img))$", re.IGNORECASE
)
_STARTS_A_SYSTEM = re.compile(
    r"^\s*(kernel|linux|linux16|linuxefi|append|options|multiboot2?|boot)\b\s*\S", re.IGNORECASE
)
_SETS_SPEED = re.compile(r"^\s*serial\b.*(--speed=|\s)\d{3,}", re.IGNORECASE)
_CONSOLE = re.compile(r"\bconsole=(\S+)")
_SPEED = re.compile(r"--speed=(\d+)")
_BOOT_IMAGE = re.compile(r"^(nxos|n9000|titanium)[^/]*\.bin$", re.IGNORECASE)
_VERSION_FILE = re.compile(r"(^|/)version\.txt$", re.IGNORECASE)
_CISCO = re.compile(r"\b\d+\.\d+\(\d+[a-z]?\)(?:[ID]\d+(?:\(\d+[a-z]?\))?)?[FM]?")
_DOTTED = re.compile(
    r"(?<!\d)(?<!\d\.)(\d+)\.(\d+)\.(\d+)([a-z]?)(?:\.([ID])(\d+)\.(\d+)([a-z]?))?(?:\.([FM])\b)?(?!\d|\.\d)",
    re.IGNORECASE,
)
_FIRST_MAJOR = 6
"""NX-OS on a Nexus 9000 and its virtual kin; lower numbers are kernels and libraries."""
_MOST_LINES = 64
_LONGEST = 500


def is_boot_configuration(path: str) -> bool:
    """GRUB (both), systemd-boot, syslinux and extlinux, by name."""
    return bool(_BOOT_CONFIGURATION.search(path))


def is_boot_loader(path: str) -> bool:
    """A file that firmware or a boot sector starts."""
    return bool(_BOOT_LOADER.search(path))


def is_boot_image(path: str) -> bool:
    """A Nexus's operating system, as it lies on its bootflash."""
    return bool(_BOOT_IMAGE.match(PurePosixPath(path).name))


def is_version_file(path: str) -> bool:
    """version.txt, wherever it lies (a Nexus has isan/etc/version.txt)."""
    return bool(_VERSION_FILE.search(path))


def boot_lines(file_system: str, path: str, text: str) -> Iterator[BootLine]:
    """The lines of a boot configuration that start a system or set the loader's own console."""
    found = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if found < _MOST_LINES and (_STARTS_A_SYSTEM.match(line) or _SETS_SPEED.match(line)):
            found += 1
            speeds = (f"serial {speed}" for speed in _SPEED.findall(line))
            consoles = (*map(printable, _CONSOLE.findall(line)), *speeds)
            yield BootLine(file_system, path, number, printable(line.strip()[:_LONGEST]), consoles)


def boot_image_clue(file_system: str, path: str, claims: ImageName | None) -> VersionClue | None:
    """What the name of a boot image on the disk tells; None where it tells no release."""
    name = PurePosixPath(path).name
    for release in _dotted(name):
        return _clue(file_system, path, 0, name, release, claims)
    return None


def version_clues(
    file_system: str, path: str, text: str, claims: ImageName | None
) -> Iterator[VersionClue]:
    """The lines of a version file that name a release: the first of each release."""
    seen: set[Release] = set()
    for number, line in enumerate(text.split("\n")[:_MOST_LINES], start=1):
        cut = printable(line.strip()[:_LONGEST])
        for release in (*_cisco(cut), *_dotted(cut)):
            if release not in seen:
                seen.add(release)
                yield _clue(file_system, path, number, cut, release, claims)


def _clue(
    file_system: str, path: str, line: int, text: str, release: Release, claims: ImageName | None
) -> VersionClue:
    agrees = None if claims is None else release.age == claims.release.age
    return VersionClue(file_system, path, line, text, str(release), agrees)


def _cisco(text: str) -> Iterator[Release]:
    for found in _CISCO.findall(text):
        try:
            yield parse_release(found)
        except ValueError:  # a train and F or M at once, which no release has
            continue


def _dotted(text: str) -> Iterator[Release]:
    for found in _DOTTED.finditer(text):
        major, minor, maintenance, letter, train, number, rebuild, rebuild_letter, kind = (
            found.groups(default="")
        )
        if int(major) < _FIRST_MAJOR:
            continue
        yield Release(
            int(major),
            int(minor),
            int(maintenance),
            letter.lower(),
            train.upper(),
            int(number or 0),
            int(rebuild or 0),
            rebuild_letter.lower(),
            kind.upper(),
        )


def partitions(part_list: str, kinds: Mapping[int, tuple[str, str]]) -> tuple[Partition, ...]:
    """From guestfish's `part-list`; `kinds`: each one's type and own GUID by number."""
    found = []
    for block in part_list.split("}"):
        numbers = {k: int(v) for k, v in re.findall(r"part_(\w+): (\d+)", block)}
        if "num" in numbers:
            kind, guid = kinds.get(numbers["num"], ("", ""))
            place = (numbers["num"], numbers.get("start", 0), numbers.get("size", 0))
            found.append(Partition(*place, kind, guid))
    return tuple(found)


class Ext(NamedTuple):
    """What an ext file system says of its own past."""

    mounts: int | None = None
    last_mounted: str = ""
    state: str = ""


def ext_state(tune2fs: str) -> Ext:
    """From guestfish's `tune2fs-l`, asked before anything is mounted."""
    told = dict(re.findall(r"^([A-Z][^:\n]*): *(.*?) *$", tune2fs, re.MULTILINE))
    count = told.get("Mount count", "")
    state = told.get("Filesystem state", "")
    if "needs_recovery" in told.get("Filesystem features", ""):
        state += f", {UNREPLAYED}"
    return Ext(int(count) if count.isdigit() else None, told.get("Last mount time", ""), state)
