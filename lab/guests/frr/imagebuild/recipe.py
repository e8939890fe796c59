"""recipe.toml as data, and the digest of all in this folder that shapes the image."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagebuild.tools import BuildError

FOLDER = Path(__file__).resolve().parent.parent
ROOTFS = FOLDER / "rootfs"
INITRD = FOLDER / "initrd"
_SHAPELESS = {"README.md", "host-packages.txt"}


@dataclass(frozen=True)
class Distribution:
    name: str
    kernel: str
    kernel_packages: tuple[str, ...]
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Disk:
    size_mib: int
    boot_mib: int
    inodes: int
    journal_mib: int
    label: str
    uuid: str
    disk_id: int
    fat_serial: str
    epoch: int


@dataclass(frozen=True)
class Recipe:
    disk: Disk
    command_line: str
    initrd_modules: tuple[str, ...]
    modules: tuple[str, ...]
    optional_modules: tuple[str, ...]
    contents: dict[str, Any]
    distribution: Distribution
    digest: str


def load() -> Recipe:
    """Read the recipe for the distribution that this machine runs."""
    data = tomllib.loads((FOLDER / "recipe.toml").read_text())
    release = _os_release()
    name = release.get("ID", "unknown")
    table = data["distribution"].get(name)
    if table is None:
        known = ", ".join(sorted(data["distribution"]))
        raise BuildError(f"no recipe for distribution '{name}' (there is one for: {known})")
    return Recipe(
        disk=Disk(**data["disk"]),
        command_line=data["kernel"]["command_line"],
        initrd_modules=tuple(data["kernel"]["initrd_modules"]),
        modules=tuple(data["kernel"]["modules"]),
        optional_modules=tuple(data["kernel"]["optional_modules"]),
        contents=data["contents"],
        distribution=Distribution(
            name=f"{name} {release.get('VERSION_ID', '')}".strip(),
            kernel=table["kernel"],
            kernel_packages=tuple(table["kernel_packages"]),
            packages=tuple(table["packages"]),
        ),
        digest=_digest(),
    )


def _os_release() -> dict[str, str]:
    pairs = (
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    return {key: value.strip("\"'") for key, value in pairs}


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        relative = path.relative_to(FOLDER).as_posix()
        if path.is_file() and path.name not in _SHAPELESS and "__pycache__" not in relative:
            content = path.read_bytes()
            digest.update(f"{relative}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
