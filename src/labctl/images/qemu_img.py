"""qemu-img, the only way it is called."""

from __future__ import annotations

import shutil
from pathlib import Path

from labctl import process
from labctl.errors import ImageError

PROGRAM = "qemu-img"
_CHECK_SECONDS = 600.0
_CREATE_SECONDS = 60.0


def check(path: Path) -> None:
    """Have QEMU check the structure of the qcow2 file `path`; nothing is repaired.

    The format is named, never probed: a raw disk's content could pose as another format. Raises
    ImageError when it is damaged, or when there is no qemu-img to tell.
    """
    _need_program()
    done = process.run(
        [PROGRAM, "check", "-q", "-f", "qcow2", "--", path], deadline=_CHECK_SECONDS, check=False
    )
    # 3 is leaked clusters alone: room wasted, no data lost
    if done.returncode not in (0, 3):
        raise ImageError(
            f"qemu-img finds {path.name} damaged",
            details=(done.stderr or done.stdout).strip(),
            resolution="get the image again and compare its checksum with the publisher's",
        )


def create_overlay(golden: Path, overlay: Path, virtual_size: int) -> None:
    """Make `overlay` an empty overlay of `virtual_size` bytes on the qcow2 file `golden`.

    Both formats are named and the size is given, so nothing is probed and `golden` not opened.
    Raises ImageError when qemu-img can't.
    """
    _need_program()
    formats = ["-f", "qcow2", "-F", "qcow2"]
    done = process.run(
        [PROGRAM, "create", "-q", "-u", *formats, "-b", golden, "--", overlay, str(virtual_size)],
        deadline=_CREATE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ImageError(
            f"qemu-img can't make an overlay on {golden.name}",
            details=(done.stderr or done.stdout).strip(),
            resolution="see whether the disk is full and the path short enough",
        )


def _need_program() -> None:
    if shutil.which(PROGRAM) is None:
        raise ImageError(
            "qemu-img is not installed, so no image can be checked or stood on",
            resolution="install it: `apt install qemu-utils`",
        )
