"""What it takes to become a golden image: copied, checked, hashed, compared with what is published.

Done in a folder of the store's, stage by stage (labctl.images.work), so that a run that was killed
goes on. A qcow2 file is copied byte for byte, so that its digests stay comparable with the
publisher's; anything else is converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from labctl import process
from labctl.atomic import appearing
from labctl.errors import ImageError
from labctl.images import fitness, ova, qemu_img
from labctl.images.digest import content_digest, file_digest
from labctl.images.formats import Format, format_of
from labctl.images.qcow2 import read_header
from labctl.images.told import Told, nobody, watched
from labctl.images.transfer import allocated
from labctl.images.work import Json, Work, clear
from labctl.images.writers import refuse_open_writer
from labctl.model.image import Given, Provenance
from labctl.model.known_image import KnownImage, compare, may_be

_COPY_SECONDS = 3600.0
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be taken in. `source` tells where it came from (default: the file's path)."""

    file: Path
    name: str
    source: str = ""
    flatten: bool = False
    """Make one disk of a file and all it stands on, which is refused otherwise."""
    member: str = ""
    """The disk to take out of an .ova that has several."""
    sha256: str = ""
    """What the file must be; "" for anything."""
    qcow2_only: bool = False
    known: Mapping[str, KnownImage] = field(default_factory=dict)
    """Published images by their file names in lower case."""


class Prepared(NamedTuple):
    """An image ready to be put in its place: `path` is still the work folder's."""

    path: Path
    sha256: str
    virtual_size: int
    content: str
    given: Given
    provenance: Provenance
    published: str
    leaks: int


class _Disk(NamedTuple):
    """The disk itself, out of an .ova perhaps, and the names it was given under."""

    path: Path
    format: Format
    flattened: bool
    names: tuple[str, ...]


def prepare(request: Request, folder: Path, told: Told = nobody) -> Prepared:
    """Copy, check and hash; the caller holds the folder's lock.

    Raises ImageError when the file is unfit, damaged, being written to, or not what it must be,
    OSError when it can't be read or copied; nothing is left then. What a kill leaves is gone on
    with when the same is asked for again.
    """
    work = Work(folder, _identity(request))
    try:
        disk = _disk(request, work, told)
        image = work.file("image", lambda path: _fill(path, disk, request, told))
        leaks: int = work.once("leaks", lambda: qemu_img.check(image, request.file).leaks)
        given, content, sha256 = _digests(disk, image, request, work, told)
    except (ImageError, OSError):
        clear(folder)
        raise
    provenance, published = compare(disk.names, given.size, given.md5, request.known)
    return Prepared(
        path=image,
        sha256=sha256,
        virtual_size=read_header(image).virtual_size,
        content=content,
        given=given,
        provenance=provenance,
        published=published,
        leaks=leaks,
    )


def _identity(request: Request) -> Json:
    """What must be as it was for a killed import to be gone on with."""
    layers = fitness.layers(request.file, flatten=request.flatten)
    stamps = []
    for layer in layers:
        found = layer.stat()
        stamps.append([str(layer.resolve()), found.st_size, found.st_mtime_ns, found.st_ino])
    return [stamps, request.flatten, request.member]


def _disk(request: Request, work: Work, told: Told) -> _Disk:
    """The disk to take, proved fit; all without opening it."""
    file = request.file
    if request.qcow2_only:
        read_header(file)  # says what is wrong with one that is none
    found = format_of(file)
    for layer in fitness.layers(file, flatten=request.flatten):
        refuse_open_writer(layer)
    if found is not Format.OVA:
        flattened = fitness.refuse_unfit(file, found, flatten=request.flatten)
        return _Disk(file, found, flattened, (request.name, file.name))
    member = ova.find_disk(file, request.member)
    path = work.file(
        "disk",
        lambda to: ova.extract(file, member, to, lambda done, of: told("extract", done, of)),
    )
    # What an archive from anywhere names as its backing file is never opened.
    fitness.refuse_unfit(path, member.format, flatten=False)
    inner = PurePosixPath(member.name).name
    return _Disk(path, member.format, False, (request.name, inner, f"{file.name}.vmdk"))


def _fill(path: Path, disk: _Disk, request: Request, told: Told) -> None:
    """Write the image to `path`: whole, synced, of a source that nobody wrote to meanwhile."""
    before = _identity(request)
    with appearing(path, durable=True) as part:
        if disk.format is Format.QCOW2 and not disk.flattened:
            with watched(part, allocated(disk.path), "copy", told):
                _copy(disk.path, part)
        else:
            with watched(part, allocated(disk.path), "convert", told):
                qemu_img.convert(disk.path, part, source_format=disk.format)
        for layer in fitness.layers(request.file, flatten=request.flatten):
            refuse_open_writer(layer)
        if _identity(request) != before:
            raise ImageError(
                f"{request.file} was changed while it was copied",
                resolution="import it when nobody writes to it",
            )


def _copy(file: Path, to: Path) -> None:
    """Copy, sharing blocks where the file system can, leaving holes as holes."""
    words: list[str | Path] = ["cp", "--reflink=auto", "--sparse=always", "--", file, to]
    done = process.run(words, deadline=_COPY_SECONDS, check=False)
    if done.returncode:
        raise ImageError(
            f"can't copy {file}",
            details=done.stderr.strip(),
            resolution=f"see whether there is room below {to.parent.parent} (`df`)",
        )


def _digests(
    disk: _Disk, image: Path, request: Request, work: Work, told: Told
) -> tuple[Given, str, str]:
    """The file as given, the content digest and the image's SHA-256, side by side.

    A raw file as given has none but the content's: it would be that of its holes above all.
    """
    copied = disk.format is Format.QCOW2 and not disk.flattened
    size = disk.path.stat().st_size
    wants_given = disk.format is not Format.RAW
    wants_md5 = wants_given and may_be(disk.names, size, request.known)
    scratch = work.folder / "scratch"
    with ThreadPoolExecutor(_THREADS) as pool:
        whole = pool.submit(work.once, "sha256", lambda: file_digest(image, told=told))
        data = pool.submit(work.once, "content", lambda: content_digest(image, scratch=scratch))
        given = whole if copied else None
        if wants_given and not copied:
            given = pool.submit(work.once, "given", lambda: file_digest(disk.path))
        md5 = (
            pool.submit(work.once, "md5", lambda: file_digest(disk.path, "md5"))
            if wants_md5
            else None
        )
    found = given.result() if given else ""
    if request.sha256 not in ("", found):
        raise ImageError(
            f"{request.file} is not the image it should be",
            details=f"SHA-256 {found} instead of {request.sha256}",
            resolution="get or build it again",
        )
    was = Given(disk.format.value, size, found, md5.result() if md5 else "", disk.flattened)
    return was, data.result(), whole.result()
