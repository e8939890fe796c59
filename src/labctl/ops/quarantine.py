"""Put a damaged image aside as evidence, and look at what was put aside."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labctl.errors import ImageError, LabctlError
from labctl.images import qemu_img, tombstone
from labctl.images.chain import chain
from labctl.images.digest import file_digest
from labctl.images.disks import NodeDisk, standing_on
from labctl.images.names import is_safe
from labctl.images.qcow2 import MAGIC
from labctl.images.quarantine import SUMS, Quarantine
from labctl.images.store import ImageStore
from labctl.model.case import Case
from labctl.model.image import Image
from labctl.model.paths import Home

_SHORT = 12
"""Digits of a digest in a case's id."""
Inspection = Callable[[Path], Mapping[str, Any]]
"""What looks into an image, read-only: file -> findings, fit for JSON."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A case as it lies there. `nodes` have their disks on its image."""

    case: Case
    folder: Path
    nodes: tuple[NodeDisk, ...]
    health: qemu_img.Health
    sha256: str
    """Of the file in the case as it is; "" where the disk would not give it back whole."""
    tar: Path | None = None


def quarantine(
    home: Home,
    what: str,
    *,
    note: str = "",
    tar: bool = False,
    inspection: Inspection | None = None,
) -> Sealed:
    """Seal the store's image of that name, or a copy of the file `what`, as a case.

    An image of the store is moved out of it, and all of its names stop working. Machines that run
    on it keep it open. Nothing is repaired. Raises ImageError when there is nothing of that name.
    """
    store = ImageStore(home.images)
    cases = _cases(home, store)
    image = _of_store(store, what)
    source = image.path if image else Path(what).absolute()
    try:
        nodes = standing_on(source, home.labs)
        case = _case(cases, store, image, source, nodes, note)
        health = qemu_img.examine(source, case.format)
        evidence = _evidence(source, health, note, inspection)
    except OSError as error:
        raise ImageError(
            f"can't read {source}: {error.strerror}",
            resolution="name an image of the store (`labctl image list`) or a file",
        ) from None
    folder = cases.seal(case, evidence)
    return Sealed(
        case, folder, nodes, health, _sum(folder, case), cases.pack(case) if tar else None
    )


def cases_of(home: Home) -> tuple[tuple[Case, Path], ...]:
    """All cases with their folders, oldest first; what a killed run began is ended before."""
    cases = _cases(home, ImageStore(home.images))
    return tuple((case, cases.path(case)) for case in cases.cases())


def find_case(home: Home, case_id: str) -> tuple[Case, Path] | None:
    """The case of that id and its folder."""
    cases = _cases(home, ImageStore(home.images))
    case = cases.get(case_id)
    return None if case is None else (case, cases.path(case))


def buried_case(home: Home, name: str) -> tuple[Case, Path] | None:
    """The case that the image `name` went into, unless the name has a good image again."""
    manifest = ImageStore(home.images).manifest_path(name)
    if not is_safe(name) or manifest.exists():
        return None
    return find_case(home, tombstone.case_of(manifest.parent, name))


def _cases(home: Home, store: ImageStore) -> Quarantine:
    cases = Quarantine(home.quarantine, store)
    cases.resume()
    return cases


def _of_store(store: ImageStore, what: str) -> Image | None:
    """The image that `what` names, by name or by its file; None for a file of elsewhere."""
    path = Path(what)
    if not path.is_file():
        return store.get(what)
    try:
        return store.of_file(path.absolute())
    except ImageError:
        return None


def _case(
    cases: Quarantine,
    store: ImageStore,
    image: Image | None,
    source: Path,
    nodes: tuple[NodeDisk, ...],
    note: str,
) -> Case:
    digest = image.sha256 if image else file_digest(source)
    now = datetime.now(UTC)
    return Case(
        id=cases.free_id(f"{now:%Y%m%d}-{digest[:_SHORT]}"),
        opened=now.isoformat(timespec="seconds"),
        source=str(source),
        file=source.name,
        format=_format(source),
        sha256=digest,
        moved=image is not None,
        inode=source.stat().st_ino,
        names=tuple(known.name for known in store.named(digest)) if image else (),
        nodes=tuple(map(str, nodes)),
        note=note,
    )


def _format(path: Path) -> str:
    """By its first bytes and its name, never by QEMU's guess: a raw disk could pose as any."""
    with path.open("rb") as file:
        if file.read(4) == MAGIC:
            return "qcow2"
    return {".vmdk": "vmdk", ".qcow2": "qcow2"}.get(path.suffix.lower(), "raw")


def _evidence(
    source: Path, health: qemu_img.Health, note: str, inspection: Inspection | None
) -> dict[str, bytes]:
    found: dict[str, bytes] = {
        "check.json": _json(health._asdict()),
        "chain.json": _json(_layers(source)),
    }
    if note:
        found["notes.txt"] = f"{note}\n".encode()
    if inspection is not None:
        found["inspection.json"] = _json(_inspected(source, inspection))
    return found


def _inspected(source: Path, inspection: Inspection) -> Mapping[str, Any]:
    """A case is sealed whatever state its image is in, so what fails here is evidence too."""
    try:
        return inspection(source)
    except LabctlError as error:
        return {"error": error.brief, "details": error.details}


def _layers(source: Path) -> list[dict[str, Any]]:
    """The files it stands on, top first; of one that can't be read, why."""
    try:
        layers = chain(source)
    except ImageError as error:
        return [{"path": str(source), "error": f"{error.brief}: {error.details}"}]
    told = [(path, path.stat()) for path in layers]
    return [{"path": str(p), "size": s.st_size, "mtime_ns": s.st_mtime_ns} for p, s in told]


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, default=str) + "\n").encode()


def _sum(folder: Path, case: Case) -> str:
    for line in (folder / SUMS).read_text().splitlines():
        digest, _, name = line.partition("  ")
        if name == case.file and not digest.startswith("#"):
            return digest
    return ""


def case_data(case: Case, folder: Path) -> dict[str, Any]:
    """A case for JSON."""
    return {**asdict(case), "folder": folder}
