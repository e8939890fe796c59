"""The tar file of an archive, written and read with nothing in it but what its list names.

Compressed with gzip's fastest level: with Python's own library the only one fast enough for
memory (docs/howto/move-a-lab.md has the figures), and every tar reads it. Read block by block by
hand: `tarfile` follows headers (long names, sparse maps) that can claim any size.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from labctl.errors import SnapshotError
from labctl.model.archive import LARGEST_LIST, LIST, Contents, Member, from_json, to_json

_BLOCK = tarfile.BLOCKSIZE
_RECORD = tarfile.RECORDSIZE
"""A tar file ends with two blocks of zeros, filled up with more of them to a whole record."""
_CHUNK = 1024 * 1024
_LEVEL = 1
_MODE = 0o600
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)

Took = Callable[[int], None]
"""Told of bytes that are through."""


class Source(NamedTuple):
    """Where a member's bytes come from: a file, or `text` where there is none."""

    file: Path | None
    text: bytes = b""

    @contextmanager
    def opened(self) -> Iterator[Iterable[bytes]]:
        """Its bytes, in pieces. Raises OSError."""
        if self.file is None:
            yield [self.text]
            return
        with self.file.open("rb") as file:
            yield iter(lambda: file.read(_CHUNK), b"")


def text_member(text: bytes) -> Member:
    """The record of a member that is in memory."""
    return Member(len(text), hashlib.sha256(text).hexdigest())


def write(to: IO[bytes], contents: Contents, sources: Mapping[str, Source], took: Took) -> None:
    """Write the archive of `contents`, its members by name.

    Raises SnapshotError when a source is not what the list says, OSError.
    """
    listed = to_json(contents).encode()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=to, mtime=0) as out:
        _put(out, LIST, text_member(listed), Source(None, listed), took)
        for name, member in sorted(contents.members.items()):
            _put(out, name, member, sources[name], took)
        out.write(bytes(2 * _BLOCK))


def _put(out: gzip.GzipFile, name: str, member: Member, source: Source, took: Took) -> None:
    header = tarfile.TarInfo(name)
    header.size, header.mode = member.size, _MODE
    out.write(header.tobuf(tarfile.GNU_FORMAT))
    digest, size = hashlib.sha256(), 0
    with source.opened() as pieces:
        for piece in pieces:
            size += len(piece)
            if size > member.size:
                break
            digest.update(piece)
            out.write(piece)
            took(len(piece))
    if (size, digest.hexdigest()) != member:
        raise SnapshotError(
            f"{name} is not what was recorded of it",
            details=f"{source.file}: {size} bytes instead of {member.size}"
            if size != member.size
            else f"{source.file}: its SHA-256 is another one",
            resolution="take a new snapshot; `labctl image verify` looks at golden images",
        )
    out.write(bytes(-size % _BLOCK))


class Reading:
    """An archive being read, front to back; every method raises SnapshotError for a bad one."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._stream = gzip.GzipFile(fileobj=file, mode="rb")
        self._name = name
        size = self._header(LIST)
        if not 0 <= size <= LARGEST_LIST:
            raise self._bad(f"a list of {size} bytes")
        try:
            self.contents = from_json(b"".join(self._pieces(size)))
        except ValueError as error:
            raise self._bad(str(error)) from None

    def unpack(self, targets: Mapping[str, Path], took: Took) -> None:
        """Read all members to the end, writing those that `targets` has a new file for.

        What is written is whole and right only when this returns. Raises OSError too.
        """
        for name, member in sorted(self.contents.members.items()):
            if self._header(name) != member.size:
                raise self._bad(f"{name} is not of the {member.size} bytes it should have")
            self._take(name, member, targets.get(name), took)
        rest = self._read(_RECORD + 2 * _BLOCK, short=True)
        if len(rest) < 2 * _BLOCK or len(rest) > _RECORD + _BLOCK or any(rest):
            raise self._bad("it does not end where its list does")

    def _take(self, name: str, member: Member, target: Path | None, took: Took) -> None:
        digest = hashlib.sha256()
        with _new(target) as file:
            for piece in self._pieces(member.size):
                digest.update(piece)
                took(len(piece))
                if file is not None:
                    _write_sparse(file, piece)
            if file is not None:
                file.truncate(member.size)
        if digest.hexdigest() != member.sha256:
            raise self._bad(f"{name} has another SHA-256 than its list says")

    def _header(self, wanted: str) -> int:
        """The size of the next member, which must be a plain file of the name `wanted`."""
        block = self._read(_BLOCK)
        try:
            found = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise self._bad(f"no tar header where {wanted} should begin: {error}") from None
        if found.name != wanted:
            raise self._bad(f"{found.name!r:.120} where {wanted} should be")
        if found.type not in _PLAIN or found.linkname:
            raise self._bad(f"{wanted} is no plain file (type {found.type!r})")
        return found.size

    def _pieces(self, size: int) -> Iterator[bytes]:
        """The `size` bytes of a member, and its filling read away."""
        left = size
        while left:
            piece = self._read(min(left, _CHUNK))
            left -= len(piece)
            yield piece
        self._read(-size % _BLOCK)

    def _read(self, size: int, *, short: bool = False) -> bytes:
        """Exactly `size` bytes; fewer at the end where `short`."""
        pieces, left = [], size
        try:
            while left and (piece := self._stream.read(left)):
                pieces.append(piece)
                left -= len(piece)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self._bad(str(error)) from None
        if left and not short:
            raise self._bad("it ends too early")
        return b"".join(pieces)

    def _bad(self, why: str) -> SnapshotError:
        return SnapshotError(
            f"{self._name} is no archive of a lab, or a damaged one",
            details=why.encode("ascii", "backslashreplace").decode(),
            resolution="copy it again and compare its checksum with the original's",
        )


@contextmanager
def _new(target: Path | None) -> Iterator[IO[bytes] | None]:
    """A new file, for its owner alone; None where there is no `target`.

    Its folder isn't: QEMU, as another user, gets through it to the disks of a lab moved in whole.
    Until then the staging folder around it keeps others out.
    """
    if target is None:
        yield None
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:
        yield file


def _write_sparse(file: IO[bytes], piece: bytes) -> None:
    """Write, leaving a hole where all is zeros."""
    if piece.count(0) < len(piece):
        file.write(piece)
    else:
        file.seek(len(piece), 1)
