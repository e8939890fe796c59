"""Files as somebody gives them to be imported."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

MIB = 1 << 20


def qemu_img(*words: str | Path) -> None:
    """Run qemu-img to its good end."""
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, timeout=60)


def partitioned(path: Path) -> Path:
    """A raw disk with one partition and a little in it."""
    with path.open("wb") as file:
        file.truncate(16 * MIB)
        file.seek(446)
        file.write(bytes([0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 0xFF, 0x7F, 0, 0]))
        file.seek(510)
        file.write(b"\x55\xaa")
        file.seek(5 * MIB)
        file.write(b"NX-OS" * 100_000)
    return path


def made(raw: Path, target_format: str, *words: str) -> Path:
    """The raw disk in another format, beside it."""
    path = raw.with_name(f"disk.{target_format}")
    qemu_img("convert", "-f", "raw", "-O", target_format, *words, raw, path)
    return path


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    """A tar archive of files with that content."""
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def overlay(path: Path, base: Path) -> Path:
    """An empty qcow2 file on `base`."""
    qemu_img("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, path)
    return path
