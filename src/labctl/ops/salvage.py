"""Rescue what can be read of a damaged image into a new one, and say what was lost."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labctl.atomic import PART
from labctl.errors import ImageError
from labctl.filelock import locked
from labctl.images import manifest, qemu_img, salvaged
from labctl.images.chain import chain
from labctl.images.digest import raw_digest
from labctl.images.entries import Layer
from labctl.images.qcow2 import read_header
from labctl.images.qemu_img import Health as Health
from labctl.images.salvage import Canvas, Loss
from labctl.images.store import ImageStore
from labctl.model.case import Case
from labctl.model.image import Image, Provenance
from labctl.model.paths import Home
from labctl.ops.context import silent
from labctl.ops.events import EventSink, Progress
from labctl.ops.quarantine import buried_case, cases_of, find_case

_DEEPEST_CHECKED = 8
"""Layers. QEMU opens the whole chain to check its top, which takes it minutes for a deep one."""
_LOCK_SECONDS = 3600.0
_CASE = re.compile(r"\d{8}-[0-9a-f]*")
"""What only a case is called."""
Stretches = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a rescue came to. Stretches are of the guest's disk, in bytes, [start, end)."""

    image: Image
    source: Path
    layers: int
    virtual_size: int
    read: int
    """Bytes taken from the files, of all layers together."""
    lost: Stretches
    """Had content once; now zeros, or what a lower layer had there."""
    doubtful: Stretches
    """Claimed by two places of the disk: one of both shows the other's bytes."""
    losses: tuple[Loss, ...]
    """By layer, bottom first; those that lost nothing are left out."""
    before: Health | None
    """What QEMU finds in the source; None where the chain is too deep for it."""
    after: Health
    as_imported: bool | None
    """Is the disk what was once imported? None where that is not known."""
    seconds: float

    @property
    def bytes_lost(self) -> int:
        return sum(end - start for start, end in self.lost)

    @property
    def clusters_lost(self) -> int:
        return sum(loss.clusters for loss in self.losses)


def salvage(home: Home, what: str, name: str, *, emit: EventSink = silent) -> Salvaged:
    """Read the image, case or file `what` as far as it can be, and import that as `name`.

    The source is only read. Unless it was whole, the new image is never pristine, under whatever
    name its content comes back. Raises ImageError when there is nothing of that name, a header is
    gone, or nothing at all could be read.
    """
    started = time.monotonic()
    store = ImageStore(home.images)
    layers = _layers(home, store, what)
    source = layers[0]
    wanted = _imported_content(home, store, what)
    before = qemu_img.examine(source) if len(layers) <= _DEEPEST_CHECKED else None
    try:
        with _workshop(home.images) as folder:
            raw = folder / "disk.raw"
            canvas, losses, size = _paint(layers, raw, emit)
            _refuse_empty(source, canvas)
            hurt = losses or canvas.lost.total() or canvas.doubtful.total()
            unhurt = before is not None and before.whole and not hurt
            _remember(store, raw_digest(raw), wanted, unhurt=unhurt)
            image, after = _import(store, raw, folder / "disk.qcow2", name, source)
    except OSError as error:
        raise ImageError(
            f"can't salvage {source}: {error.strerror}",
            details=str(error.filename or ""),
            resolution=f"see whether there is room in {home.images} for the whole disk",
        ) from None
    return Salvaged(
        image=image,
        source=source,
        layers=len(layers),
        virtual_size=size,
        read=canvas.read,
        lost=canvas.lost.stretches(),
        doubtful=canvas.doubtful.stretches(),
        losses=losses,
        before=before,
        after=after,
        as_imported=image.content == wanted if wanted else None,
        seconds=time.monotonic() - started,
    )


def _layers(home: Home, store: ImageStore, what: str) -> tuple[Path, ...]:
    """The file that `what` means and all it stands on, top first."""
    if found := _case(home, what):
        return _of_case(*found)
    path = Path(what)
    if path.is_file():
        return chain(path.absolute())
    if _CASE.match(what) and not store.manifest_path(what).exists():
        known = ", ".join(case.id for case, _ in cases_of(home))
        raise ImageError(
            f"there is no case {what!r} in quarantine",
            details=f"cases: {known or 'none'}",
            resolution="`labctl image quarantine` lists the cases, with what they hold",
        )
    return chain(store.get(what).path)


def _case(home: Home, what: str) -> tuple[Case, Path] | None:
    """The case that `what` means, by its id or by the name of the image that went into it."""
    found = find_case(home, what)
    return found if found or Path(what).is_file() else buried_case(home, what)


def _imported_content(home: Home, store: ImageStore, what: str) -> str:
    """The content digest it was imported with; "" where none was ever taken."""
    if found := _case(home, what):
        case, folder = found
        names = case.names[:1]
        return "".join(manifest.read(folder / f"manifest-{name}.json").content for name in names)
    return "" if Path(what).is_file() else store.get(what).content


def _of_case(case: Case, folder: Path) -> tuple[Path, ...]:
    """A copied file's name of what is below it counts from where the file was."""
    file = folder / case.file
    below = read_header(file).backing
    if not below or Path(below).is_absolute():
        return chain(file)
    return (file, *chain(Path(case.source).parent / below))


@contextmanager
def _workshop(images: Path) -> Iterator[Path]:
    """A folder beside the store's images, one rescue at a time; what a killed one left is gone."""
    images.mkdir(parents=True, exist_ok=True)
    folder = images / f"salvage{PART}"
    with locked(images / "salvage.lock", deadline=_LOCK_SECONDS, what="the image store's rescues"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _paint(
    layers: Sequence[Path], raw: Path, emit: EventSink
) -> tuple[Canvas, tuple[Loss, ...], int]:
    """All layers, the bottom first; what each lost, and the disk's size."""
    size = Layer(layers[0]).virtual_size
    canvas = Canvas(raw, size)
    losses = []
    total = sum(path.stat().st_size for path in layers)
    try:
        for path in reversed(layers):
            losses.append(canvas.paint(Layer(path)))
            emit(Progress("salvage", min(canvas.read, total), total))
    finally:
        canvas.close()
    return canvas, tuple(loss for loss in losses if loss), size


def _refuse_empty(source: Path, canvas: Canvas) -> None:
    if canvas.lost.total() and not canvas.read:
        raise ImageError(
            f"nothing could be read from {source}",
            details=f"{canvas.lost.total()} bytes of the disk are lost",
            resolution="look for another copy; `labctl image inspect` says what is broken",
        )


def _remember(store: ImageStore, content: str, wanted: str, *, unhurt: bool) -> None:
    """Remember the disk as salvaged before it has a name: no kill leaves it for what it isn't.

    Not one that is what was imported, nor one of an `unhurt` file that nothing else is known of,
    nor one that an image of the store shows which was never salvaged: they had it before.
    """
    if content == wanted or (unhurt and not wanted):
        return
    if not any(known.provenance is not Provenance.SALVAGED for known in store.showing(content)):
        salvaged.remember(store.folder, content)


def _import(
    store: ImageStore, raw: Path, made: Path, name: str, source: Path
) -> tuple[Image, Health]:
    qemu_img.convert(raw, made, source_format="raw")
    raw.unlink()
    after = qemu_img.examine(made)
    image = store.add(made, name, f"salvaged from {source}")
    return image, after
