"""The store's way in and out: a prepared file gets its place and a name, a name goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from labctl.errors import DeadlineError, ImageError
from labctl.filelock import locked
from labctl.images import manifest, tombstone, work
from labctl.images.digest import file_digest
from labctl.images.intake import Prepared, Request, prepare
from labctl.images.names import is_safe
from labctl.images.salvaged import is_salvaged
from labctl.images.told import Told, nobody
from labctl.model.image import Image, Provenance

if TYPE_CHECKING:
    from labctl.images.store import ImageStore

_GOLDEN_MODE = 0o444
_LOCK_SECONDS = 600.0


def admit(store: ImageStore, request: Request, told: Told = nobody) -> Image:
    """Take a disk into the store; asking for the same again changes nothing.

    `told` hears how far it is. A run that was killed is gone on with by asking for the same.
    Raises ImageError when the name is unsafe, or as `labctl.images.intake.prepare`.
    """
    if not is_safe(request.name):
        raise ImageError(
            f"{request.name!r} can't be an image's name",
            resolution="use letters, digits, dot, dash and underscore, 64 at most, "
            "beginning with a letter or digit",
        )
    try:
        with _importing(store) as folder:
            prepared = prepare(request, folder, told)
            with store.changing():
                image = _place(store, prepared, request)
            work.clear(folder)
    except OSError as error:
        raise ImageError(
            f"can't import {request.file}: {error.strerror}",
            details=str(error.filename or request.file),
        ) from None
    return image


def names_of(store: ImageStore, image: Image) -> tuple[str, ...]:
    """All names that share the file of `image`."""
    return tuple(known.name for known in store.list() if known.sha256 == image.sha256)


def forget(store: ImageStore, image: Image) -> None:
    """Remove the name, and nothing else."""
    with store.changing():
        store.manifest_path(image.name).unlink(missing_ok=True)


def remember(store: ImageStore, image: Image) -> None:
    """Put back a name that was just forgotten."""
    with store.changing():
        manifest.write(store.manifest_path(image.name), image)


def discard(store: ImageStore, image: Image) -> bool:
    """Remove the file of `image`, unless a name still points to it; whether it is gone."""
    with store.changing():
        if names_of(store, image):
            return False
        image.path.unlink(missing_ok=True)
    return True


def sweep(store: ImageStore) -> None:
    """Remove what killed imports left, unless one is running."""
    with suppress(DeadlineError), _importing(store, deadline=0) as folder:
        work.clear(folder)


@contextmanager
def _importing(store: ImageStore, *, deadline: float = _LOCK_SECONDS) -> Iterator[Path]:
    """The folder imports are prepared in, one at a time."""
    folder = store.folder / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / work.LOCK, deadline=deadline, what="the image store's imports"):
        yield folder


def _place(store: ImageStore, prepared: Prepared, request: Request) -> Image:
    """Name the prepared file by its content, and point the name to it."""
    golden = store.folder / f"sha256-{prepared.sha256}.qcow2"
    if not golden.exists() or file_digest(golden) != prepared.sha256:
        prepared.path.chmod(_GOLDEN_MODE)
        prepared.path.replace(golden)
    if golden.stat().st_mode & 0o777 != _GOLDEN_MODE:
        golden.chmod(_GOLDEN_MODE)
    found = golden.stat()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    image = Image(
        name=request.name,
        path=golden.absolute(),
        sha256=prepared.sha256,
        size=found.st_size,
        virtual_size=prepared.virtual_size,
        mtime_ns=found.st_mtime_ns,
        imported=now,
        source=request.source or str(request.file.absolute()),
        verified=now,
        content=prepared.content,
        given=prepared.given,
        provenance=_provenance(store, prepared),
        published=prepared.published,
        leaks=prepared.leaks,
    )
    return _record(store, image)


def _provenance(store: ImageStore, prepared: Prepared) -> Provenance:
    """A salvaged disk stays one under any name and in any form; a published file is that."""
    published = prepared.provenance is Provenance.PRISTINE
    if not published and is_salvaged(store.folder, prepared.content):
        return Provenance.SALVAGED
    return prepared.provenance


def _record(store: ImageStore, image: Image) -> Image:
    """Write the manifest, unless it says the same already."""
    path = store.manifest_path(image.name)
    if path.exists():
        known = manifest.read(path)
        same = replace(image, imported=known.imported, verified=known.verified, source=known.source)
        if same == known:
            return known
    manifest.write(path, image)
    tombstone.clear(path.parent, image.name)
    return image
