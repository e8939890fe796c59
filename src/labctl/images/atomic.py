"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def appearing(path: Path, *, durable: bool) -> Iterator[Path]:
    """A path beside `path` to write to; it takes `path`'s place when the block ends well.

    `durable` writes it through to the disk before. The caller's lock keeps others away from the
    `.part` file, so one that is there already is what a killed run left.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        yield part
        if durable:
            _sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if durable:
        _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
