"""Running host programs: missing ones and failing ones are named, with what to do about it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Program -> package to install for it, the same on Debian and Ubuntu.
NEEDED = {
    "apt-get": "apt",
    "debugfs": "e2fsprogs",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "e2fsck": "e2fsprogs",
    "mcopy": "mtools",
    "mformat": "mtools",
    "mke2fs": "e2fsprogs",
    "qemu-img": "qemu-utils",
    "syslinux": "syslinux",
    "zstd": "zstd",
}
MBR_CODE = Path("/usr/lib/syslinux/mbr/mbr.bin")  # package syslinux-common
_SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


class BuildError(Exception):
    """Something the user can act on; its text is the whole message."""


def check_host() -> None:
    """Report every missing program at once."""
    missing = {package for tool, package in NEEDED.items() if not shutil.which(tool, path=_SEARCH)}
    if not MBR_CODE.exists():
        missing.add("syslinux-common")
    if missing:
        raise BuildError(f"programs are missing: apt-get install {' '.join(sorted(missing))}")


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> str:
    """Run one program and return all it printed; locale and time zone are pinned."""
    environment = {**os.environ, "PATH": _SEARCH, "LC_ALL": "C", "TZ": "UTC", **(env or {})}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        said = done.stdout.strip()
        raise BuildError(f"`{shlex.join(command)}` failed ({done.returncode}):\n{said}")
    return done.stdout
