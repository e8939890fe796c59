"""qemu-img, the only way it is called.

Formats are named, never probed: a raw disk's content could pose as another format.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from labctl import process
from labctl.errors import ImageError

PROGRAM = "qemu-img"
_CHECK_SECONDS = 600.0
_COPY_SECONDS = 3600.0
_CREATE_SECONDS = 60.0
_MOST_LINES = 5
"""Of what a check says."""
_Words = Sequence[str | Path]


class Standing(StrEnum):
    """What a structure check came to."""

    CLEAN = "clean"
    LEAKS = "leaks"
    """Clusters that nothing uses: room wasted, no data lost."""
    CORRUPT = "corrupt"
    UNREADABLE = "unreadable"
    """QEMU can't even open it, or died of it."""


_STANDINGS = {0: Standing.CLEAN, 2: Standing.CORRUPT, 3: Standing.LEAKS}
"""By qemu-img's exit code (its manual, "check")."""


class Health(NamedTuple):
    """A structure check, counted by kind. `words` is what qemu-img said besides."""

    standing: Standing
    corruptions: int = 0
    leaks: int = 0
    errors: int = 0
    """Errors of the check itself: what it could not look at."""
    words: str = ""

    @property
    def whole(self) -> bool:
        return self.standing in (Standing.CLEAN, Standing.LEAKS)


def examine(path: Path, image_format: str = "qcow2", *, alone: bool = False) -> Health:
    """Have QEMU check the structure of `path`; nothing is repaired, and damage raises nothing.

    `alone` leaves what it stands on closed, as a deep or broken chain must be; the path must be
    UTF-8 then. Raises ImageError when there is no qemu-img, DeadlineError when it doesn't end.
    """
    _need_program()
    named = ["--", _unbacked(path, image_format)] if alone else ["-f", image_format, "--", path]
    done = process.run(
        [PROGRAM, "check", "--output=json", *named],
        deadline=_CHECK_SECONDS,
        check=False,
    )
    words = done.stderr.strip()
    try:
        told: Mapping[str, Any] = json.loads(done.stdout)
        corruptions, leaks, errors = (
            int(told.get(key, 0)) for key in ("corruptions", "leaks", "check-errors")
        )
    except (ValueError, TypeError, AttributeError):
        return Health(Standing.UNREADABLE, words=words or f"exit code {done.returncode}")
    standing = _STANDINGS.get(done.returncode, Standing.UNREADABLE)
    return Health(standing, corruptions, leaks, errors, words)


def _unbacked(path: Path, image_format: str) -> str:
    """QEMU's words for a file without its backing file (its manual, "json:")."""
    file = {"driver": "file", "filename": str(path.absolute())}
    return "json:" + json.dumps({"driver": image_format, "file": file, "backing": None})


def check(path: Path, original: Path | None = None) -> Health:
    """As `examine`, for the qcow2 file `path`. Raises ImageError when it is damaged.

    `original` is what to call it, where `path` is a copy.
    """
    health = examine(path)
    if not health.whole:
        raise ImageError(
            f"qemu-img finds {(original or path).name} damaged",
            details=_first_lines(health.words)
            or f"{health.corruptions} corruptions, {health.leaks} leaks, {health.errors} errors",
            resolution="get the image again and compare its checksum with the publisher's",
        )
    return health


def _first_lines(words: str) -> str:
    """A file with a ruined table has a line for each of its clusters; a few say what all do."""
    lines = words.splitlines()
    more = len(lines) - _MOST_LINES
    return words if more <= 1 else "\n".join((*lines[:_MOST_LINES], f"... and {more} more"))


def info(path: Path, image_format: str = "") -> Mapping[str, Any]:
    """What `qemu-img info` says of one file, as its JSON; the file may be in use.

    Without `image_format` QEMU guesses the format: for telling a file's format only. Raises
    ImageError when QEMU can't open it.
    """
    named = ["-f", image_format] if image_format else []
    words: _Words = ["info", "-U", "--output=json", *named, "--", path]
    found: Mapping[str, Any] = json.loads(_run(words, _CREATE_SECONDS, f"can't open {path}"))
    return found


def convert(
    source: Path,
    target: Path,
    *,
    source_format: str,
    target_format: str = "qcow2",
    options: Sequence[str] = (),
    compress: bool = False,
    unlocked: bool = False,
) -> None:
    """Write what a guest sees on `source` to `target`, in another form; holes stay holes.

    `source` is opened with the whole chain below it; `unlocked` reads it even while a machine has
    it open. Raises ImageError when qemu-img can't.
    """
    flags = [*(["-c"] if compress else []), *(["-U"] if unlocked else [])]
    chosen = ["-o", ",".join(options)] if options else []
    formats = ["-f", source_format, "-O", target_format]
    words: _Words = ["convert", *flags, *formats, *chosen, "--", source, target]
    _run(words, _COPY_SECONDS, f"qemu-img can't convert {source}")


def create_overlay(
    golden: Path, overlay: Path, virtual_size: int, *, golden_format: str = "qcow2"
) -> None:
    """Make `overlay` an empty overlay of `virtual_size` bytes on the file `golden`.

    Both formats are named and the size is given, so nothing is probed and `golden` not opened.
    Raises ImageError when qemu-img can't.
    """
    formats = ["-f", "qcow2", "-F", golden_format]
    _run(
        ["create", "-q", "-u", *formats, "-b", golden, "--", overlay, str(virtual_size)],
        _CREATE_SECONDS,
        f"qemu-img can't make an overlay on {golden.name}",
    )


def rebase(overlay: Path, backing: Path, *, unsafe: bool) -> None:
    """Have `overlay` stand on the qcow2 file `backing`.

    `unsafe` only writes the name: the content must be the same as before. Raises ImageError when
    qemu-img can't.
    """
    flags = ["-u"] if unsafe else []
    formats = ["-f", "qcow2", "-F", "qcow2"]
    _run(
        ["rebase", "-q", *flags, *formats, "-b", backing, "--", overlay],
        _COPY_SECONDS,
        f"qemu-img can't rebase {overlay} on {backing}",
    )


def commit(overlay: Path) -> None:
    """Write what `overlay` holds into its backing file; `overlay` keeps its content.

    Raises ImageError when qemu-img can't.
    """
    _run(
        ["commit", "-q", "-d", "-f", "qcow2", "--", overlay],
        _COPY_SECONDS,
        f"qemu-img can't commit {overlay}",
    )


def _run(words: _Words, deadline: float, failure: str) -> str:
    _need_program()
    done = process.run([PROGRAM, *words], deadline=deadline, check=False)
    if done.returncode:
        raise ImageError(
            failure,
            details=(done.stderr or done.stdout).strip() or f"exit code {done.returncode}",
            resolution="see whether the disk is full, the file readable and whole "
            "(`labctl image inspect FILE`)",
        )
    return done.stdout


def _need_program() -> None:
    if shutil.which(PROGRAM) is None:
        raise ImageError(
            "qemu-img is not installed, so no image can be checked or stood on",
            resolution="install it: `apt install qemu-utils`",
        )
