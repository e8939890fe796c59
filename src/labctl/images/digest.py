"""Digests of images: of the file's bytes, and of what a guest sees on the disk.

A file's SHA-256 changes with every conversion or compaction; the content digest does not, so a
converted copy is recognised as the same disk.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from labctl.images import qemu_img
from labctl.images.clusters import NotPlain, clusters, read_layout
from labctl.images.told import Told, nobody

BLOCK = 65536
"""Bytes. The content digest's unit: a block of zeros counts as absent, allocated or not."""
_VERSION = b"labctl disk content 1\n"
_ZEROS = bytes(BLOCK)
_CHUNK = 1 << 20


def file_digest(path: Path, algorithm: str = "sha256", told: Told = nobody) -> str:
    """The digest of a file's bytes, in hex. Raises OSError when it can't be read."""
    digest = hashlib.new(algorithm)
    total, done = path.stat().st_size, 0
    buffer = bytearray(_CHUNK)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(memoryview(buffer)[:count])
            done += count
            told("hash", done, total)
    return digest.hexdigest()


def content_digest(
    image: Path, *, scratch: Path, image_format: str = "qcow2", unlocked: bool = False
) -> str:
    """The digest of what a guest sees on `image` with all it stands on, in hex.

    The same for every format, cluster size, compression and chain that show a guest the same
    disk. `scratch` is a path to write a raw copy of the data to for the time of the call, where
    they can't be read in place; `unlocked` reads an image that a (paused) machine has open. Raises
    ImageError when QEMU can't read it, OSError when the scratch file can't be written.
    """
    if image_format == "qcow2" and not unlocked:
        with suppress(NotPlain):
            return _in_place(image)
    try:
        qemu_img.convert(
            image, scratch, source_format=image_format, target_format="raw", unlocked=unlocked
        )
        return raw_digest(scratch)
    finally:
        scratch.unlink(missing_ok=True)


def raw_digest(raw: Path) -> str:
    """The content digest of a raw disk: its size, and each block that is not all zeros."""
    digest = hashlib.sha256(_VERSION)
    with raw.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        digest.update(size.to_bytes(8, "big"))
        for start, end in _data(file.fileno(), size):
            file.seek(start)
            for offset in range(start, end, BLOCK):
                block = file.read(min(BLOCK, size - offset))
                if block != _ZEROS[: len(block)]:
                    digest.update(offset.to_bytes(8, "big"))
                    digest.update(block)
    return digest.hexdigest()


def _in_place(image: Path) -> str:
    """The content digest of a qcow2 file, by its own tables. Raises NotPlain, OSError."""
    digest = hashlib.sha256(_VERSION)
    with image.open("rb", buffering=0) as file:
        layout = read_layout(file.fileno())
        digest.update(layout.virtual_size.to_bytes(8, "big"))
        for cluster in clusters(file.fileno(), layout):
            end = min(layout.cluster, layout.virtual_size - cluster.guest)
            for within in range(0, end, BLOCK):
                size = min(BLOCK, end - within)
                block = os.pread(file.fileno(), size, cluster.host + within)
                block += bytes(size - len(block))  # a file may end within its last cluster
                if block != _ZEROS[:size]:
                    digest.update((cluster.guest + within).to_bytes(8, "big"))
                    digest.update(block)
    return digest.hexdigest()


def _data(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """The stretches of a sparse file that hold data, widened to whole blocks, never overlapping."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError:  # ENXIO: a hole to the end
            return
        hole = os.lseek(descriptor, start, os.SEEK_HOLE)
        start = max(end, start // BLOCK * BLOCK)
        end = min(size, -(-hole // BLOCK) * BLOCK)
        yield start, end
