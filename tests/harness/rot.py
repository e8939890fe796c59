"""Facts of hygiene as plain data: a healthy host, to be changed by each test.

rot.facts(domains=[rot.node(layers=3)])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from labctl.hygiene.checks import check
from labctl.hygiene.facts import (
    ConnectionFact,
    Disk,
    DiskFact,
    DomainFact,
    Facts,
    GoldenFact,
    LabFact,
    Layer,
    Sizing,
    StoreFact,
)
from labctl.hypervisor.api import DomainState, LabMetadata, ObservedDomain, ObservedSnapshot
from labctl.model.hygiene import Finding

NOW = 1_800_000_000.0
DAY = 86400.0
URI = "qemu:///system"
HOME = Path("/home-of-labctl")
LAB = HOME / "labs/pair"
OVERLAY = LAB / "nodes/a/disk.qcow2"
GOLDEN = HOME / "images/sha256-1.qcow2"
SIZING = Sizing(256, 1)


def mark(node: str = "a", lab: str = "pair", floor: int = 0) -> LabMetadata:
    """labctl's mark."""
    return LabMetadata(lab, node, "host", "linux", "0.1", "sha256:1", memory_floor=floor)


def layer(path: Path, backing: Path | None, *, days: float = 0.0, **given: Any) -> Layer:
    """A file of 1 MiB, last written `days` ago."""
    return Layer(path, 1024**2, NOW - days * DAY, backing=backing, **given)


def layers(above: int = 0, overlay: Path = OVERLAY) -> tuple[Layer, ...]:
    """A node's chain with so many files on its overlay, one taken a day."""
    files = [overlay.with_name(f"disk.{number}") for number in range(above, 0, -1)]
    files += [overlay, GOLDEN]
    backing = [*files[1:], None]
    return tuple(
        layer(file, below, days=float(index))
        for index, (file, below) in enumerate(zip(files, backing, strict=True))
    )


def disk(found: Sequence[Layer], target: str = "vda", **given: Any) -> DiskFact:
    """A disk with that chain."""
    top = found[0].path
    return DiskFact(Disk(target, str(top), readonly=False, **given), tuple(found), real=top)


def domain(
    name: str = "pair.a",
    *,
    disks: Iterable[DiskFact] = (),
    metadata: LabMetadata | None = None,
    state: DomainState = DomainState.RUNNING,
    snapshots: Sequence[ObservedSnapshot] = (),
    sizing: Sizing = SIZING,
    defined: Sizing | None = SIZING,
) -> DomainFact:
    """A domain; a stranger without `metadata`."""
    found = tuple(disks)
    files = tuple(each.disk.file for each in found)
    observed = ObservedDomain(
        name, "uuid", state, sizing.memory, sizing.vcpus, metadata, (), (), files
    )
    return DomainFact(URI, observed, found, tuple(snapshots), defined)


def node(above: int = 0, **given: Any) -> DomainFact:
    """Node a of lab pair with so many layers on its overlay."""
    return domain(**{"disks": [disk(layers(above))], "metadata": mark(), **given})


def snapshot(name: str, *files: Path, memory: bool = False, days: float = 1.0) -> ObservedSnapshot:
    """What libvirt lists; inside the disk without `files`."""
    names = tuple(map(str, files))
    return ObservedSnapshot(
        name, int(NOW - days * DAY), bool(files), memory=memory, parent="", files=names
    )


def lab(**given: Any) -> LabFact:
    """Lab pair, of node a."""
    return replace(
        LabFact("pair", LAB, {"a": SIZING}, (layer(OVERLAY, GOLDEN),)),
        **given,
    )


def store(**given: Any) -> StoreFact:
    """A store with one image, read yesterday."""
    image = GoldenFact("frr", GOLDEN, 1024**2, (), (), 1.0)
    return replace(StoreFact(HOME / "images", (replace(image, **given),), {}))


def facts(domains: Sequence[DomainFact] | None = None, **given: Any) -> Facts:
    """A host with lab pair on it, healthy."""
    found = (node(),) if domains is None else tuple(domains)
    whole = Facts(
        now=NOW,
        home=HOME,
        connections=(ConnectionFact(URI, libvirt_version="9.0.0", domains=found),),
        labs=(lab(),),
        store=store(),
    )
    return replace(whole, **given)


def found(of: Facts, name: str) -> list[Finding]:
    """The findings of one check."""
    return [finding for finding in check(of).findings if finding.check == name]
