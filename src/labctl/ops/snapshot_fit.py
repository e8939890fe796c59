"""Whether a lab's snapshot can be taken: all that stands in its way, before a machine is paused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from labctl.errors import ImageError, SnapshotError, UsageError
from labctl.hypervisor.api import DomainState, ObservedDomain
from labctl.images.chain import HEALTHY_DEPTH, depth
from labctl.images.transfer import allocated
from labctl.model.paths import LabPaths, NodePaths
from labctl.ops.snapshots import Snapshots

_MEBIBYTE = 1024**2
_ACTIVE = (DomainState.RUNNING, DomainState.PAUSED)
_SETTLED = (*_ACTIVE, DomainState.SHUT_OFF, DomainState.CRASHED)


def check(
    paths: LabPaths, domains: Mapping[str, ObservedDomain], name: str, *, memory: bool
) -> None:
    """Raise UsageError for a name that is taken or can't be one, SnapshotError for what is in
    the way on any of the nodes, or when the disk has too little room.
    """
    lab = paths.folder.name
    snapshots = Snapshots(paths)
    if snapshots.folder(name).exists():
        raise UsageError(
            f"{lab} has a snapshot {name!r} already",
            resolution=f"take another name, or `labctl snapshot delete {lab} {name}` first",
        )
    wrong = [
        line for node, domain in domains.items() for line in wrong_with(paths.node(node), domain)
    ]
    if wrong:
        raise SnapshotError(
            f"no snapshot of {lab} can be taken as it is",
            details="\n".join(wrong),
            resolution="`labctl hygiene --fix` makes chains short again; "
            f"`labctl rebuild {lab} --node NODE` makes a node's disk anew",
        )
    need, free = needed(paths, domains, memory=memory), room(paths)
    if need > free:
        raise SnapshotError(
            f"a snapshot of {lab} may need {_told(need)}, and {_told(free)} are free",
            details=f"in {paths.snapshots}: all memory and all overlays",
            resolution="make room (`labctl snapshot delete` or `prune`), or leave the memory out "
            "with --disk-only",
        )


def needed(paths: LabPaths, domains: Mapping[str, ObservedDomain], *, memory: bool) -> int:
    """Bytes a capture takes at most: the memory of active machines, what overlays occupy.

    Saved memory leaves out what a guest never touched, and a file system with reflinks shares
    the overlays' blocks: it is mostly less.
    """
    active = [domain for domain in domains.values() if memory and domain.state in _ACTIVE]
    disks = (allocated(paths.node(node).overlay) for node in domains)
    return sum(domain.memory * _MEBIBYTE for domain in active) + sum(disks)


def room(paths: LabPaths) -> int:
    """Bytes free where the lab's snapshots are kept."""
    return shutil.disk_usage(paths.folder).free


def wrong_with(files: NodePaths, domain: ObservedDomain) -> Iterator[str]:
    """What keeps one node from being captured."""
    if domain.state not in _SETTLED:
        yield f"{domain.name} is {domain.state.value}: neither running, paused nor off"
    overlay, day0 = files.overlay.resolve(), files.day0.resolve()
    disks = {Path(disk).resolve(): disk for disk in domain.disks}
    if overlay not in disks:
        yield f"{domain.name} does not run on its own overlay {files.overlay}"
    foreign = [disk for path, disk in disks.items() if path not in (overlay, day0)]
    if foreign:
        yield f"{domain.name} has disks labctl did not give it: {', '.join(foreign)}"
    yield from _deep(files.overlay, domain.name)


def _deep(overlay: Path, name: str) -> Iterator[str]:
    try:
        layers = depth(overlay)
    except ImageError as error:
        yield f"{name}: {error.brief}"
        return
    if layers != HEALTHY_DEPTH:
        yield f"{name}: its disk stands on {layers} layers instead of {HEALTHY_DEPTH}"


def _told(size: int) -> str:
    return f"{size / _MEBIBYTE:,.0f} MiB"
