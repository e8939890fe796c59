"""What only the host itself can tell: devices, storage, routes, ports. For local connections."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, ip_network
from pathlib import Path

from labctl import process
from labctl.errors import LabctlError
from labctl.model.platform import Firmware, Platform
from labctl.preflight.facts import Route, StorageFact

_SECONDS = 10.0
_DEVICE = re.compile(r'^name "([^"]+)"', re.MULTILINE)
_UDP = Path("/proc/net/udp")
_UDP_LOCAL_ADDRESS = 1


def device_models(emulator: str) -> frozenset[str] | None:
    """The device models `emulator` knows, None when it doesn't say."""
    try:
        listed = process.run([emulator, "-device", "help"], deadline=_SECONDS)
    except LabctlError:
        return None
    return frozenset(_DEVICE.findall(listed.stdout)) or None


def firmware(platforms: Iterable[Platform]) -> dict[str, Firmware | None]:
    """Platform name -> the first of its firmware images that is there, whole; None if none is.

    Platforms without firmware of their own choice are left out.
    """
    return {
        platform.name: next(filter(_is_there, platform.firmware), None)
        for platform in platforms
        if platform.firmware
    }


def _is_there(image: Firmware) -> bool:
    return all(Path(file).is_file() for file in (image.code, image.variables) if file)


def storage(folders: Sequence[Path], owner: tuple[int, int] | None) -> StorageFact:
    """Folders (or, before the first run, their nearest ancestors): room, rights, QEMU's reach.

    `owner` is whom QEMU runs as, None when it is who runs labctl. Room is told of the first.
    """
    there = [_nearest(folder) for folder in folders]
    problems = [
        f"{folder} is not writable"
        for folder in dict.fromkeys(there)
        if not os.access(folder, os.W_OK | os.X_OK)
    ]
    if owner is not None:
        passed = dict.fromkeys(step for f in there for step in (*reversed(f.parents), f))
        problems += [
            f"{step} can't be entered by QEMU (user id {owner[0]}); `chmod o+x` it"
            for step in passed
            if not _may_enter(step, owner)
        ]
    status = os.statvfs(there[0])
    return StorageFact(free=status.f_bavail * status.f_frsize, problems=tuple(problems))


def routes() -> tuple[Route, ...] | None:
    """The host's IPv4 routes, None when `ip` isn't there to ask."""
    try:
        listed = json.loads(process.run(["ip", "-4", "-j", "route"], deadline=_SECONDS).stdout)
    except (LabctlError, ValueError):
        return None
    return tuple(
        Route(network, route.get("dev", ""))
        for route in listed
        if isinstance(network := ip_network(_destination(route["dst"])), IPv4Network)
    )


def udp_ports() -> frozenset[int] | None:
    """UDP ports that something on this host binds now, None when the kernel doesn't say."""
    try:
        lines = _UDP.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    addresses = (line.split()[_UDP_LOCAL_ADDRESS] for line in lines)
    return frozenset(int(address.rpartition(":")[2], 16) for address in addresses)


def _destination(text: str) -> str:
    return "0.0.0.0/0" if text == "default" else text


def _nearest(folder: Path) -> Path:
    path = folder.absolute()
    while not path.exists():
        path = path.parent
    return path


def _may_enter(folder: Path, owner: tuple[int, int]) -> bool:
    """Has that user the right to search `folder`? By mode bits, as for a user in no other group."""
    user, group = owner
    status = folder.stat()
    if user == 0:
        return True
    if status.st_uid == user:
        return bool(status.st_mode & 0o100)
    if status.st_gid == group:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
