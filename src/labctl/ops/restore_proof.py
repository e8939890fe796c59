"""Whether a snapshot can be put back here: all that stands in its way, before anything changes."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from labctl.errors import HypervisorError, ImageError, LabctlError, SnapshotError
from labctl.hypervisor.api import DomainState, HostFacts, Hypervisor, ObservedDomain
from labctl.hypervisor.parse import observed_domain
from labctl.images.digest import file_digest
from labctl.images.qcow2 import read_header
from labctl.images.qemu_img import examine
from labctl.images.store import ImageStore
from labctl.images.transfer import allocated
from labctl.model.lab import Lab
from labctl.model.paths import Home, LabPaths
from labctl.model.snapshot import DISK, MEMORY, Manifest, Part, Power
from labctl.ops.load import load_kept
from labctl.ops.reinstate import damage, kept_definition
from labctl.ops.snapshots import Snapshots
from labctl.preflight.facts import OFF
from labctl.preflight.local import udp_ports
from labctl.preflight.sizing import held, kept_for_host, qemu_overhead

_MIB = 1 << 20


class Whole(NamedTuple):
    """A snapshot whose files are whole: the lab as it was described, each node as defined."""

    manifest: Manifest
    folder: Path
    lab: Lab
    kept: Mapping[str, Kept]


class Kept(NamedTuple):
    """A node's definition."""

    xml: str
    virt_type: str
    domain: ObservedDomain


def prove_whole(home: Home, lab: str, name: str, *, width: int) -> Whole:
    """Read every file of the snapshot, and what it stands on, `width` at a time.

    What is wrong with the snapshot itself is noted beside it, for `list`, `show` and `hygiene`.

    Raises UsageError when there is no such snapshot, SnapshotError with all that is wrong.
    """
    snapshots = Snapshots(home.lab(lab))
    manifest, folder = snapshots.get(name), snapshots.folder(name)
    if not manifest.complete:
        raise SnapshotError(
            f"snapshot {name} of {lab} is incomplete",
            details="the run that took it was cut off",
            resolution=f"`labctl snapshot list {lab}` shows others",
        )
    store = ImageStore(home.images)
    described, wrong = _described(folder)
    damaged = [*_part_problems(store, folder, manifest, width), *wrong]
    snapshots.note_damage(name, damaged)
    problems = [*_golden_problems(store, manifest), *damaged]
    if manifest.lab != lab:
        problems.append(f"it is a snapshot of {manifest.lab}")
    if problems or described is None:
        raise refused(lab, name, problems)
    kept = {part.node: _kept(folder, part) for part in manifest.parts}
    return Whole(manifest, folder, described, kept)


def refused(lab: str, name: str, problems: Iterable[str]) -> SnapshotError:
    """The error for a snapshot that can't be put back, for all the reasons there are."""
    lines = list(problems)
    return SnapshotError(
        f"snapshot {name} of {lab} can't be restored: {lines[0]}",
        details="\n".join(lines),
        resolution=f"nothing was changed; `labctl snapshot list {lab}` shows others",
    )


def misfits(hypervisor: Hypervisor, home: Home, whole: Whole) -> Iterator[str]:
    """Why this host can't take the snapshot now; the caller holds the port lock."""
    host, domains = hypervisor.host(), hypervisor.domains()
    manifest = whole.manifest
    others = [
        d
        for d in domains
        if d.metadata is None
        or d.metadata.lab != manifest.lab
        or d.metadata.node in manifest.left_out
    ]
    yield from _machine_problems(hypervisor, whole)
    yield from _version_problems(host, whole.manifest)
    yield from _memory_problems(host, others, whole)
    yield from _room_problems(home, whole)
    yield from _name_problems(others, whole)
    yield from _port_problems(host, domains, others, whole)


def version_note(host: HostFacts, manifest: Manifest) -> str:
    """What to say of memory saved by an older QEMU; "" when there is nothing to say."""
    if manifest.with_memory and _dotted(manifest.qemu) < _dotted(host.hypervisor_version):
        return f"its memory was saved by QEMU {manifest.qemu}, here is {host.hypervisor_version}"
    return ""


def _golden_problems(store: ImageStore, manifest: Manifest) -> Iterator[str]:
    """The images that parts stand on, by digest: a name may have moved on to another."""
    nodes = defaultdict[str, list[str]](list)
    for part in manifest.parts:
        nodes[part.golden].append(part.node)
    try:
        images = {image.sha256: image for image in store.list()}
    except ImageError as error:
        yield error.brief
        return
    for digest, standing in nodes.items():
        if digest in images:
            yield from store.check(images[digest])
        elif _digest(_golden(store, digest)) != digest:
            yield (
                f"the golden image of {', '.join(standing)} is not in the store any more: "
                f"SHA-256 {digest}"
            )


def _golden(store: ImageStore, digest: str) -> Path:
    return (store.folder / f"sha256-{digest}.qcow2").absolute()


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:
        return ""


def _part_problems(
    store: ImageStore, folder: Path, manifest: Manifest, width: int
) -> Iterator[str]:
    """Files that changed since they were written, and what QEMU finds wrong with whole disks."""

    def wrong(part: Part) -> tuple[str, ...]:
        disk = folder / part.node / DISK
        return damage(folder, part) or tuple(_disk_problems(disk, _golden(store, part.golden)))

    with ThreadPoolExecutor(width) as pool:
        for lines in pool.map(wrong, manifest.parts):
            yield from lines


def _disk_problems(disk: Path, golden: Path) -> Iterator[str]:
    if not golden.exists():
        return  # told once for all nodes
    try:
        backing, health = read_header(disk).backing, examine(disk)
    except LabctlError as error:
        yield error.brief
        return
    if not health.whole:
        yield f"{disk}: qemu-img finds it {health.standing.value} {health.words}".rstrip()
    if Path(backing) != golden:
        yield f"{disk} stands on {backing or 'nothing'} instead of {golden}"


def _described(folder: Path) -> tuple[Lab | None, list[str]]:
    try:
        return load_kept(LabPaths(folder))[0], []
    except (LabctlError, KeyError, ValueError) as error:
        brief = error.brief if isinstance(error, LabctlError) else str(error)
        return None, [f"its topology is of no use: {brief}"]


def _kept(folder: Path, part: Part) -> Kept:
    xml = kept_definition(folder, part)
    virt_type = ElementTree.fromstring(xml).get("type", "")
    return Kept(xml, virt_type, observed_domain(xml, DomainState.SHUT_OFF))


def _machine_problems(hypervisor: Hypervisor, whole: Whole) -> Iterator[str]:
    """Machine types this host's QEMU has not: memory and disks are of those very machines."""
    offered = hypervisor.virt_types()
    wanted = {(whole.kept[part.node].virt_type, part.machine) for part in whole.manifest.parts}
    for virt_type, machine in sorted(wanted):
        if virt_type not in offered:
            yield f"its machines are of type {virt_type}, this host has {', '.join(offered)}"
            continue
        try:
            found = hypervisor.domain_capabilities(virt_type, machine)
        except HypervisorError as error:
            yield f"this host has no machine {machine}: {error.brief}"
            continue
        if found is not None and machine not in found.machines:
            yield f"this host's QEMU offers no machine {machine}"


def _version_problems(host: HostFacts, manifest: Manifest) -> Iterator[str]:
    """QEMU takes in what an older one saved, never what a newer one did."""
    if manifest.with_memory and _dotted(manifest.qemu) > _dotted(host.hypervisor_version):
        yield (
            f"its memory was saved by QEMU {manifest.qemu}, this host's {host.hypervisor_version} "
            "is older"
        )


def _dotted(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _memory_problems(
    host: HostFacts, others: Iterable[ObservedDomain], whole: Whole
) -> Iterator[str]:
    """As preflight sums it: all configured memory against the host's."""
    total = host.memory_total
    if total is None:
        return
    active = [part for part in whole.manifest.parts if part.power is not Power.OFF]
    need = sum(_needed(part, whole.kept[part.node]) for part in active)
    virt_type = next((kept.virt_type for kept in whole.kept.values()), "qemu")
    taken = sum(held(domain, virt_type, total) for domain in others if domain.state not in OFF)
    room = int((total - kept_for_host(total)) * whole.lab.requirements.memory_overcommit)
    if need + taken > room:
        yield (
            f"its {len(active)} machines need {need} MiB, other running domains have {taken} MiB, "
            f"and there is room for {room} MiB"
        )


def _needed(part: Part, kept: Kept) -> int:
    return part.memory + qemu_overhead(part.memory, len(kept.domain.macs), kept.virt_type)


def _room_problems(home: Home, whole: Whole) -> Iterator[str]:
    """Room for a second copy of the disks: each is put in place whole, then the old one goes."""
    sizes = [
        allocated(whole.folder / part.node / name)
        for part in whole.manifest.parts
        for name in part.files
        if name != MEMORY
    ]
    free = shutil.disk_usage(home.folder).free
    if sum(sizes) > free:
        yield f"its disks take {sum(sizes) // _MIB} MiB, and {free // _MIB} MiB are free"


def _name_problems(others: Iterable[ObservedDomain], whole: Whole) -> Iterator[str]:
    ours = {kept.domain.name: node for node, kept in whole.kept.items()}
    uuids = {kept.domain.uuid: node for node, kept in whole.kept.items()}
    for domain in others:
        node = ours.get(domain.name) or uuids.get(domain.uuid)
        if node is not None:
            yield f"the name or UUID of {node} is taken by domain {domain.name}"


def _port_problems(
    host: HostFacts,
    domains: Iterable[ObservedDomain],
    others: Iterable[ObservedDomain],
    whole: Whole,
) -> Iterator[str]:
    """UDP ports that somebody else has by now: QEMU would bind them all the same."""
    taken = {end.local[1]: f"domain {domain.name}" for domain in others for end in domain.udp}
    bound = {end.local[1] for domain in domains for end in domain.udp}
    local = host.is_local and host.driver == "QEMU"
    for port in (udp_ports() if local else None) or ():
        if port not in bound:
            taken[port] = "another program of this host"
    for node, kept in whole.kept.items():
        for end in kept.domain.udp:
            if end.local[1] in taken:
                yield f"UDP port {end.local[1]} of {node} is taken by {taken[end.local[1]]}"
