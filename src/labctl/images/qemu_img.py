"""qemu-img, the only way it is called."""

from __future__ import annotations

import shutil
from pathlib import Path

from labctl import process
from labctl.errors import ImageError

PROGRAM = "qemu-img"
_CHECK_SECONDS = 600.0


def check(path: Path) -> None:
    """Have QEMU check the structure of the qcow2 file `path`; nothing is repaired.

    The format is named, never probed: a raw disk's content could pose as another format. Raises
    ImageError when it is damaged, or when there is no qemu-img to tell.
    """
    if shutil.which(PROGRAM) is None:
        raise ImageError(
            "qemu-img is not installed, so no image can be checked",
            resolution="install it: `apt install qemu-utils`",
        )
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
