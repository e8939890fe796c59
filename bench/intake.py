"""Taking a large disk in, and reading an image whole again.

A sparse disk of 8 GiB with 1 GiB of data that nothing compresses, as qcow2 and as raw. `labctl
image import` copies or converts, checks and hashes it, and reads it once more as a guest would; it
stands against what one would do by hand, `qemu-img convert` of the same file and `sha256sum` of
the result. `labctl image verify` stands against `sha256sum` of the same file. In turns, each
import into a store of its own.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from bench.measure import LABCTL, in_turns, run
from bench.result import Figure, Result

_IMPORT_LIMIT = 1.5
_VERIFY_LIMIT = 1.2
_ROUNDS = 5
_MIB = 1 << 20
_SIZE = 8192 * _MIB
_PIECES = 64
_PIECE = 16 * _MIB
_MBR = bytes(446) + bytes([0, 0, 2, 0, 0x83, 0, 0, 0]) + bytes([1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0])
_MBR += bytes(48) + b"\x55\xaa"
"""One partition: a raw disk without any is not taken for one."""
_LABELS = ("import raw", "by hand, raw", "import qcow2", "by hand, qcow2", "verify", "sha256sum")


def measure() -> Result:
    """Ratios of medians."""
    with tempfile.TemporaryDirectory(prefix="labctl-bench-") as name:
        folder = Path(name)
        raw, qcow2 = _disks(folder)
        series = in_turns(
            _ROUNDS,
            lambda: _import(folder, raw),
            lambda: _by_hand(folder, raw, "raw"),
            lambda: _import(folder, qcow2),
            lambda: _by_hand(folder, qcow2, "qcow2"),
            lambda: run([*LABCTL, "image", "verify"], env=_env(folder)).wall,
            lambda: run(["sha256sum", *map(str, (folder / "home/images").glob("sha256-*"))]).wall,
        )
    times = dict(zip(_LABELS, series, strict=True))
    took = {label: median(walls) for label, walls in times.items()}
    return Result(
        "intake",
        (
            Figure(
                "import of qcow2 / (qemu-img convert + sha256sum)",
                took["import qcow2"] / took["by hand, qcow2"],
                _IMPORT_LIMIT,
            ),
            Figure(
                "import of raw / (qemu-img convert + sha256sum)",
                took["import raw"] / took["by hand, raw"],
                _IMPORT_LIMIT,
            ),
            Figure("image verify / sha256sum", took["verify"] / took["sha256sum"], _VERIFY_LIMIT),
        ),
        times,
        (
            "8 GiB with 1 GiB of data: "
            + ", ".join(f"{label} {seconds:.1f} s" for label, seconds in took.items()),
        ),
    )


def _disks(folder: Path) -> tuple[Path, Path]:
    """The disk in both forms, the same in every run: its data is what SHAKE-256 gives."""
    raw, qcow2 = folder / "disk.raw", folder / "disk.qcow2"
    with raw.open("wb") as file:
        file.truncate(_SIZE)
        for number in range(_PIECES):
            file.seek(number * (_SIZE // _PIECES))
            file.write(hashlib.shake_256(str(number).encode()).digest(_PIECE))
        file.seek(0)
        file.write(_MBR)
    words = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(qcow2)]
    subprocess.run(words, check=True)
    return raw, qcow2


def _env(folder: Path) -> dict[str, str]:
    return {"LABCTL_HOME": str(folder / "home")}


def _import(folder: Path, disk: Path) -> float:
    shutil.rmtree(folder / "home", ignore_errors=True)
    return run([*LABCTL, "image", "import", "--name", "large", str(disk)], env=_env(folder)).wall


def _by_hand(folder: Path, disk: Path, disk_format: str) -> float:
    copy = folder / "copy.qcow2"
    words = ["qemu-img", "convert", "-f", disk_format, "-O", "qcow2", str(disk), str(copy)]
    took = run(words).wall + run(["sha256sum", str(copy)]).wall
    copy.unlink()
    return took
