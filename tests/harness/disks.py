"""qcow2 files made, written to and broken by hand."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *words], check=True, capture_output=True)


def write(path: Path, *commands: str) -> None:
    words = [word for command in commands for word in ("-c", command)]
    subprocess.run(["qemu-io", "-f", "qcow2", *words, path], check=True, capture_output=True)


def image(path: Path, size: str = "64M", *options: str) -> Path:
    qemu_img("create", "-q", "-f", "qcow2", *options, path, size)
    return path


def overlay(path: Path, base: Path) -> Path:
    qemu_img("create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", base, path, "64M")
    return path


def raw_of(path: Path, folder: Path) -> bytes:
    raw = folder / "seen.raw"
    qemu_img("convert", "-f", "qcow2", "-O", "raw", path, raw)
    return raw.read_bytes()


def l2_table(path: Path, number: int = 0) -> int:
    with path.open("rb") as file:
        file.seek(40)
        (l1,) = struct.unpack(">Q", file.read(8))
        file.seek(l1 + 8 * number)
        return int(struct.unpack(">Q", file.read(8))[0] & 0x00FF_FFFF_FFFF_FE00)


def poke(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)
