"""Taking a large disk in, and reading an image whole again.

A sparse disk of 8 GiB with 1 GiB of data that nothing compresses. `labctl image import` copies,
checks and hashes it, and reads it once more as a guest would; it stands against what one would do
by hand, `qemu-img convert` and `sha256sum` of the result. `labctl image verify` stands against
`sha256sum` of the same file. In turns, each import into a store of its own.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from bench.measure import LABCTL, Run, in_turns, run
from bench.result import Figure, Result

_IMPORT_LIMIT = 1.5
_VERIFY_LIMIT = 1.2
_ROUNDS = 5
_MIB = 1 << 20
_SIZE = 8192 * _MIB
_PIECES = 64
_PIECE = 16 * _MIB
_NAME = "large"


def measure() -> Result:
    """Ratios of medians."""
    with tempfile.TemporaryDirectory(prefix="labctl-bench-") as name:
        folder = Path(name)
        disk = _disk(folder)
        imports, by_hand, verifies, sums = in_turns(
            _ROUNDS,
            lambda: _import(folder, disk),
            lambda: _by_hand(folder, disk),
            lambda: run([*LABCTL, "image", "verify"], env=_env(folder)),
            lambda: run(["sha256sum", *map(str, (folder / "home/images").glob("sha256-*"))]),
        )
    samples = {
        "image import": imports,
        "qemu-img convert, sha256sum": by_hand,
        "image verify": verifies,
        "sha256sum": sums,
    }
    times = {label: [taken.wall for taken in runs] for label, runs in samples.items()}
    took = {label: median(series) for label, series in times.items()}
    return Result(
        "intake",
        (
            Figure(
                "image import / (qemu-img convert + sha256sum)",
                took["image import"] / took["qemu-img convert, sha256sum"],
                _IMPORT_LIMIT,
            ),
            Figure(
                "image verify / sha256sum", took["image verify"] / took["sha256sum"], _VERIFY_LIMIT
            ),
        ),
        times,
        (
            f"8 GiB with 1 GiB of data: import {took['image import']:.1f} s, "
            f"verify {took['image verify']:.1f} s, sha256sum {took['sha256sum']:.1f} s",
        ),
    )


def _disk(folder: Path) -> Path:
    """The image, the same in every run: its data is a stream cipher's, as SHAKE-256 gives it."""
    raw, disk = folder / "disk.raw", folder / "disk.qcow2"
    with raw.open("wb") as file:
        file.truncate(_SIZE)
        for number in range(_PIECES):
            file.seek(number * (_SIZE // _PIECES))
            file.write(hashlib.shake_256(str(number).encode()).digest(_PIECE))
    words = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(disk)]
    subprocess.run(words, check=True)
    raw.unlink()
    return disk


def _env(folder: Path) -> dict[str, str]:
    return {"LABCTL_HOME": str(folder / "home")}


def _import(folder: Path, disk: Path) -> Run:
    shutil.rmtree(folder / "home", ignore_errors=True)
    return run([*LABCTL, "image", "import", "--name", _NAME, str(disk)], env=_env(folder))


def _by_hand(folder: Path, disk: Path) -> Run:
    """Both as one run."""
    copy = folder / "copy.qcow2"
    converted = run(["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", str(disk), str(copy)])
    summed = run(["sha256sum", str(copy)])
    copy.unlink()
    return Run(
        converted.wall + summed.wall,
        converted.cpu + summed.cpu,
        max(converted.memory, summed.memory),
    )
