"""A lab into one file, for another host: its topology, and a snapshot of it if asked."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labctl import __version__
from labctl.atomic import appearing
from labctl.errors import ImageError, SnapshotError, TopologyError, UsageError
from labctl.images.store import ImageStore
from labctl.model.archive import CONFIGS, FILES, SNAPSHOT, TOPOLOGY, Contents, Golden, Member
from labctl.model.lab import Lab
from labctl.model.paths import LabPaths
from labctl.model.snapshot import Manifest
from labctl.ops.context import Context
from labctl.ops.load import lab_name, load_kept, load_lab
from labctl.ops.lock import lab_lock
from labctl.ops.meter import Meter
from labctl.ops.render import render_lab
from labctl.ops.snapshots import Snapshots
from labctl.ops.tarball import Source, text_member, write

_MODE = 0o600
"""Memory, disks and day-0 media hold passwords."""
_MANIFEST = "manifest.json"

_Entries = dict[str, tuple[Member, Source]]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written. `size` is the file's, `content` that of all its members, in bytes."""

    lab: str
    file: Path
    snapshot: str
    with_memory: bool
    images: tuple[Golden, ...]
    inside: bool
    """Whether the golden images are in the archive, not only named."""
    size: int
    content: int
    seconds: float


def export(
    ctx: Context,
    ref: str,
    file: Path,
    *,
    snapshot: str = "",
    with_images: bool = False,
    force: bool = False,
) -> ExportResult:
    """Write the lab's archive to `file`, whole or not at all; the lab runs on.

    Without `snapshot` the topology alone, from which a lab is built anew. Raises UsageError
    (no such lab or snapshot, `file` is there already), SnapshotError (incomplete or damaged),
    ImageError (a golden image is gone), LabLocked.
    """
    started = time.monotonic()
    name = lab_name(ref, ctx.home)
    _refuse_in_the_way(file, force=force)
    load_lab(name, ctx.home)  # raises where there is no such lab
    with lab_lock(ctx.home, name, f"export {ref}"):
        manifest = _whole(Snapshots(ctx.home.lab(name)), name, snapshot) if snapshot else None
        lab, entries = _entries(ctx, name, manifest)
        goldens = _goldens(ImageStore(ctx.home.images), lab, manifest)
        if with_images:
            entries |= {
                image.member: (Member(image.size, image.sha256), Source(path))
                for image, path in goldens.items()
            }
        contents = _contents(lab, manifest, tuple(goldens), entries)
        _write(ctx, file, contents, entries, force=force)
    return ExportResult(
        lab=name,
        file=file,
        snapshot=snapshot,
        with_memory=manifest is not None and manifest.with_memory,
        images=contents.images,
        inside=with_images,
        size=file.stat().st_size,
        content=contents.size,
        seconds=time.monotonic() - started,
    )


def _refuse_in_the_way(file: Path, *, force: bool) -> None:
    if not file.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {file.absolute().parent}")
    if file.exists() and not (force and file.is_file()):
        raise UsageError(
            f"{file} is there already",
            resolution="name another file, or replace it with --force",
        )


def _whole(snapshots: Snapshots, lab: str, name: str) -> Manifest:
    manifest = snapshots.get(name)
    if not manifest.complete:
        raise SnapshotError(
            f"snapshot {name} of {lab} is incomplete",
            resolution=f"`labctl snapshot list {lab}` shows those that are whole",
        )
    return manifest


def _entries(ctx: Context, name: str, manifest: Manifest | None) -> tuple[Lab, _Entries]:
    """The lab as it was at the snapshot (or is), and all members but images."""
    paths = ctx.home.lab(name)
    entries: _Entries = {}
    if manifest is not None:
        folder = Snapshots(paths).folder(manifest.name)
        paths = LabPaths(folder)
        for part in manifest.parts:
            for file, recorded in part.files.items():
                source = Source(folder / part.node / file)
                entries[f"{SNAPSHOT}{part.node}/{file}"] = (Member(*recorded), source)
        entries |= _text(f"{SNAPSHOT}{_MANIFEST}", (folder / _MANIFEST).read_bytes())
    files = paths.files.read_bytes() if paths.files.exists() else b"{}"
    for prefix in ("", SNAPSHOT) if manifest else ("",):
        entries |= _text(f"{prefix}{TOPOLOGY}", paths.topology.read_bytes())
        entries |= _text(f"{prefix}{FILES}", files)
    try:
        lab, _ = load_kept(paths)
    except TopologyError as error:
        raise SnapshotError(
            f"the kept topology of {name} can't be read any more: {error.brief}",
            details=error.details,
            resolution=f"`labctl up FILE` applies one that is right (and keeps it as {name}'s)",
        ) from None
    return lab, entries | _configs(ctx, lab)


def _configs(ctx: Context, lab: Lab) -> _Entries:
    """What `render` writes of the lab, without its own marker."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "configs"
        entries: _Entries = {}
        for name in render_lab(ctx, lab, folder):
            if not name.startswith("."):
                entries |= _text(f"{CONFIGS}{name}", (folder / name).read_bytes())
        return entries


def _text(name: str, text: bytes) -> _Entries:
    return {name: (text_member(text), Source(None, text))}


def _goldens(store: ImageStore, lab: Lab, manifest: Manifest | None) -> Mapping[Golden, Path]:
    """The golden images the nodes stand on, with their files: at the snapshot, or by name."""
    stored = {image.sha256: image for image in store.list()}
    wanted: dict[str, str] = {}
    for node in lab.nodes:
        part = manifest.part(node.name) if manifest is not None else None
        digest = part.golden if part else wanted.get(node.image) or store.get(node.image).sha256
        if wanted.setdefault(node.image, digest) != digest:
            raise SnapshotError(
                f"the lab's nodes stand on different images of the name {node.image}",
                details=f"{node.name} on {digest}, others on {wanted[node.image]}",
                resolution="make them alike with `labctl rebuild`, then take another snapshot",
            )
        if digest not in stored:
            raise ImageError(
                f"the golden image of {node.name} is no longer in the store",
                details=f"{node.image}, SHA-256 {digest}",
                resolution="import that file again: `labctl image import FILE`",
            )
    return {
        Golden(name, digest, stored[digest].size, stored[digest].content): stored[digest].path
        for name, digest in wanted.items()
    }


def _contents(
    lab: Lab, manifest: Manifest | None, images: tuple[Golden, ...], entries: _Entries
) -> Contents:
    return Contents(
        lab=lab.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        labctl=__version__,
        qemu=manifest.qemu if manifest else "",
        libvirt=manifest.libvirt if manifest else "",
        snapshot=manifest.name if manifest else "",
        images=images,
        members={name: member for name, (member, _) in entries.items()},
    )


def _write(ctx: Context, file: Path, contents: Contents, entries: _Entries, *, force: bool) -> None:
    sources = {name: source for name, (_, source) in entries.items()}
    try:
        with appearing(file, durable=True) as part:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as to:
                write(to, contents, sources, Meter(ctx, "pack", contents.size))
            _refuse_in_the_way(file, force=force)
    except OSError as error:
        raise SnapshotError(
            f"can't write {file}: {error.strerror}",
            details=str(error.filename or file),
            resolution="see whether the disk is full or read-only",
        ) from None
