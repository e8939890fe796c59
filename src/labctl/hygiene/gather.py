"""Gather what hygiene judges: each hypervisor asked once, each folder walked once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from labctl.atomic import PART
from labctl.errors import ConnectionLost, HypervisorError, ImageError
from labctl.hygiene import walk
from labctl.hygiene.facts import (
    ConnectionFact,
    DiskFact,
    DomainFact,
    GoldenFact,
    LabFact,
    Layer,
    Leftover,
    LeftoverKind,
    Room,
    Sizing,
    StoreFact,
)
from labctl.hypervisor.api import Hypervisor, ObservedDomain
from labctl.hypervisor.parse import observed_domain
from labctl.images import manifest
from labctl.images.qcow2 import is_qcow2
from labctl.model.image import Image
from labctl.model.paths import Home, LabPaths

_APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
_WRITABLE = 0o222
_DAY = 86400.0
MERGE_RECORD = "merge.json"
"""In a node's folder, from before its layers are merged until all is done."""


def connection(hypervisor: Hypervisor) -> ConnectionFact:
    """All there is on one hypervisor; disks only where its files are this machine's.

    Raises HypervisorError when even the list can't be had.
    """
    host = hypervisor.host()
    domains, trouble = [], []
    for domain in hypervisor.domains():
        try:
            domains.append(_domain(hypervisor, domain, is_local=host.is_local))
        except ConnectionLost:
            raise
        except HypervisorError as error:
            trouble.append(f"{domain.name}: {error.brief}")
    return ConnectionFact(
        uri=hypervisor.uri,
        is_local=host.is_local,
        libvirt_version=host.libvirt_version,
        domains=tuple(domains),
        pools=hypervisor.pools(),
        trouble=tuple(trouble),
    )


def _domain(hypervisor: Hypervisor, domain: ObservedDomain, *, is_local: bool) -> DomainFact:
    disks = walk.disks_of(hypervisor.xml(domain.name))
    definition = hypervisor.definition(domain.name)
    defined = observed_domain(definition, domain.state) if definition else None
    return DomainFact(
        uri=hypervisor.uri,
        domain=domain,
        disks=tuple(map(walk.chain_of if is_local else DiskFact, disks)),
        snapshots=hypervisor.snapshots(domain.name),
        defined=Sizing(defined.memory, defined.vcpus) if defined else None,
    )


def lab(
    paths: LabPaths,
    *,
    nodes: Mapping[str, Sizing] | None,
    incomplete: tuple[str, ...],
    damaged: Mapping[str, str],
    unfinished: tuple[str, ...],
    own_unfinished: bool,
    locked_by: str,
) -> LabFact:
    """One lab's folder. What the operations' layer knows of it is given."""

    def is_disk(path: Path) -> bool:
        return path.suffix != PART and is_qcow2(path)

    found = tuple(_layers(walk.files_below(paths.folder, is_disk)))
    kept = tuple(layer for layer in found if paths.snapshots in layer.path.parents)
    return LabFact(
        name=paths.folder.name,
        folder=paths.folder,
        nodes=nodes,
        overlays=tuple(layer for layer in found if layer not in kept),
        kept=kept,
        incomplete=incomplete,
        damaged=damaged,
        merging={
            path.parent.name: merged_layers(path)
            for path in sorted(paths.nodes.glob(f"*/{MERGE_RECORD}"))
        },
        unfinished=unfinished,
        own_unfinished=own_unfinished,
        locked_by=locked_by,
    )


def merged_layers(record: Path) -> tuple[Path, ...]:
    """The layers that a merge was begun of, by its record; () where there is none."""
    try:
        return tuple(map(Path, json.loads(record.read_text(encoding="utf-8"))["layers"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def store(folder: Path, now: float) -> StoreFact:
    """The image store, at a glance: no image is read."""
    images, trouble = [], []
    for path in sorted((folder / "names").glob("*.json")):
        try:
            images.append(_golden(manifest.read(path), path, now))
        except ImageError as error:
            trouble.append(f"{error.brief}: {error.details}")
    named = {image.path.name for image in images}
    files = [path for path in folder.glob("*.qcow2") if path.name not in named]
    strays = {layer.path: layer.used for layer in _layers(sorted(files))}
    return StoreFact(folder, tuple(images), strays, tuple(trouble))


def _golden(image: Image, name: Path, now: float) -> GoldenFact:
    verified = datetime.fromisoformat(image.verified).astimezone(UTC).timestamp()
    changed, exposed = _touched(image, name)
    return GoldenFact(
        name=image.name,
        path=image.path,
        size=image.size,
        changed=tuple(changed),
        exposed=tuple(exposed),
        verified_days=(now - verified) / _DAY,
        damaged=image.found_damaged,
    )


def _touched(image: Image, name: Path) -> tuple[list[str], list[str]]:
    """What of the file is no longer as recorded, and what lets others change it.

    `name`, its manifest, has the owner it should have.
    """
    try:
        found, owner = image.path.stat(), name.stat()
    except OSError as error:
        return [f"{image.path}: {error.strerror}"], []
    changed, exposed = [], []
    if found.st_size != image.size:
        changed.append(f"it has {found.st_size} bytes, {image.size} were imported")
    if found.st_mtime_ns != image.mtime_ns:
        written = datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="seconds")
        changed.append(f"it was last written to at {written}, after it was imported")
    if found.st_mode & _WRITABLE:
        exposed.append(f"its mode is {found.st_mode & 0o777:o}: it can be written to")
    if found.st_uid != owner.st_uid:
        exposed.append(f"its owner is user {found.st_uid}, its manifest's is {owner.st_uid}")
    return changed, exposed


def leftovers(home: Home, stale_locks: Iterable[Path]) -> tuple[Leftover, ...]:
    """What killed runs left below labctl's folder."""
    parts = walk.files_below(home.folder, lambda path: path.name.endswith(PART))
    incoming = home.images / "incoming"
    # an import is taken on; a quarantined image's folder is evidence
    kept = {incoming, home.quarantine}
    found = [(LeftoverKind.PART, path) for path in parts if not kept & set(path.parents)]
    found += [(LeftoverKind.LOCK, path) for path in stale_locks]
    found += [(LeftoverKind.EMPTY, path) for path in home.labs.glob("*/nodes/*/") if _empty(path)]
    waiting = walk.files_below(incoming, lambda path: path.stat().st_size > 0)
    found += [(LeftoverKind.INCOMING, path) for path in waiting]
    canary = walk.files_below(home.cache / "canary", lambda _: True)
    found += [(LeftoverKind.CANARY, path) for path in canary]
    return tuple(filter(None, (_leftover(kind, path, home) for kind, path in found)))


def _empty(folder: Path) -> bool:
    return not any(folder.iterdir())


def _leftover(kind: LeftoverKind, path: Path, home: Home) -> Leftover | None:
    try:
        layer = walk.layer_of(path)
    except OSError:  # whoever was at it has ended it
        return None
    in_lab = home.labs in path.parents and kind is not LeftoverKind.LOCK
    lab = path.relative_to(home.labs).parts[0] if in_lab else ""
    return Leftover(kind, path, layer.used, layer.modified, lab)


def rooms(home: Home, connections: Iterable[ConnectionFact]) -> tuple[Room, ...]:
    """The file systems of labctl's folder, and all active pools; a file system counts once."""
    found: dict[object, Room] = {}
    for label, folder in (("labs", home.labs), ("images", home.images), ("home", home.folder)):
        with suppress(OSError):
            usage = shutil.disk_usage(folder)
            place = folder.stat().st_dev
            found.setdefault(place, Room(label, str(folder), usage.total, usage.free))
    for each in connections:
        for pool in each.pools:
            if pool.active and pool.capacity:
                room = Room(f"pool {pool.name}", pool.path, pool.capacity, pool.available)
                found[each.uri, pool.name] = room
    return tuple(found.values())


def apparmor() -> bool:
    """Whether the kernel confines programs with AppArmor."""
    try:
        return _APPARMOR.read_text(encoding="ascii").strip() == "Y"
    except OSError:
        return False


def pool_overlays(connections: Iterable[ConnectionFact], home: Home) -> tuple[Layer, ...]:
    """Files in local pools that stand on one of our golden images."""
    local = [each for each in connections if each.is_local]
    folders = {Path(pool.path) for each in local for pool in each.pools if pool.path}
    found = []
    for folder in sorted(folders):
        # a block device's pool has no folder; others' may be closed to us
        with suppress(OSError):
            if home.folder not in (folder, *folder.parents):
                found += [path for path in sorted(folder.iterdir()) if is_qcow2(path)]
    return tuple(
        layer for layer in _layers(found) if layer.backing and home.images in layer.backing.parents
    )


def _layers(paths: Iterable[Path]) -> Iterator[Layer]:
    for path in paths:
        with suppress(OSError):
            yield walk.layer_of(path)
