"""What hygiene knows when it judges: gathered once, judged by pure checks.

Sizes in bytes, times in seconds since 1970. What could not be looked at is said in `trouble`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from labctl.hypervisor.api import ObservedDomain, ObservedPool, ObservedSnapshot
from labctl.hypervisor.observed import DomainState
from labctl.model.inspection import InternalSnapshot

OFF = frozenset({DomainState.SHUT_OFF, DomainState.CRASHED})
"""States in which QEMU has no file open."""


class Layer(NamedTuple):
    """One file of a disk's chain. `used` is what it takes on the disk, not how long it is."""

    path: Path
    used: int
    modified: float
    internal: tuple[InternalSnapshot, ...] = ()
    backing: Path | None = None


class Disk(NamedTuple):
    """A disk of a domain's XML. `mirror` is the file that a running block job writes to."""

    target: str
    file: str
    readonly: bool
    mirror: str = ""


@dataclass(frozen=True, slots=True)
class DiskFact:
    """A disk with the files it stands on, top first; `trouble` says where the walk ended early."""

    disk: Disk
    layers: tuple[Layer, ...] = ()
    trouble: str = ""
    real: Path | None = None
    """The disk's file with all links followed."""

    @property
    def depth(self) -> int:
        """How many files its own stands on."""
        return max(0, len(self.layers) - 1)


class Sizing(NamedTuple):
    """What a machine is given: MiB and CPUs."""

    memory: int
    vcpus: int


@dataclass(frozen=True, slots=True)
class DomainFact:
    """A domain as it is. `defined` is what its next start would give it, None for a transient."""

    uri: str
    domain: ObservedDomain
    disks: tuple[DiskFact, ...] = ()
    snapshots: tuple[ObservedSnapshot, ...] = ()
    defined: Sizing | None = None

    @property
    def is_off(self) -> bool:
        return self.domain.state in OFF

    @property
    def files(self) -> frozenset[Path]:
        """All that its disks stand on."""
        return frozenset(layer.path for disk in self.disks for layer in disk.layers)


@dataclass(frozen=True, slots=True)
class ConnectionFact:
    """One hypervisor. `trouble` says why nothing of it, or of some domains, could be looked at."""

    uri: str
    is_local: bool = True
    libvirt_version: str = ""
    domains: tuple[DomainFact, ...] = ()
    pools: tuple[ObservedPool, ...] = ()
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabFact:
    """A lab's folder: what its file gives each node, and its disks."""

    name: str
    folder: Path
    nodes: Mapping[str, Sizing] | None
    """None where its topology file can't be read."""
    overlays: tuple[Layer, ...] = ()
    """All qcow2 files below it, whoever made them, but those of labctl's own snapshots."""
    kept: tuple[Layer, ...] = ()
    """The disks in labctl's own snapshots of it."""
    incomplete: tuple[str, ...] = ()
    """Its snapshots that a killed run left half-made."""
    damaged: Mapping[str, str] = field(default_factory=dict)
    """Its snapshots that a restore found damaged, and how."""
    merging: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """Nodes with a merge that was cut off, and the layers it was merging."""
    unfinished: tuple[str, ...] = ()
    """What its journal says a killed run left; () while a run is at work."""
    own_unfinished: bool = False
    """It was a run of hygiene's."""
    locked_by: str = ""


@dataclass(frozen=True, slots=True)
class GoldenFact:
    """A golden image: its file at a glance, and days since its bytes were last read.

    `changed` is what is no longer as it was imported, `exposed` what lets others change it.
    """

    name: str
    path: Path
    size: int
    changed: tuple[str, ...]
    exposed: tuple[str, ...]
    verified_days: float
    damaged: bool = False
    """What was found when they were last read."""


@dataclass(frozen=True, slots=True)
class StoreFact:
    """The image store. `strays` are image files that no name points to, with their sizes."""

    folder: Path
    images: tuple[GoldenFact, ...] = ()
    strays: Mapping[Path, int] | None = None
    trouble: tuple[str, ...] = ()


class LeftoverKind(StrEnum):
    """What killed runs leave."""

    PART = "half-written file"
    LOCK = "lock that nobody holds"
    EMPTY = "empty folder"
    INCOMING = "unfinished import"
    CANARY = "file of a KVM canary"


class Leftover(NamedTuple):
    """Something that lies about. `lab` where it lies in a lab's folder."""

    kind: LeftoverKind
    path: Path
    size: int
    modified: float
    lab: str = ""


class Room(NamedTuple):
    """A place that can fill up: a file system or a storage pool."""

    label: str
    path: str
    capacity: int
    available: int


class Reading(NamedTuple):
    """What was free in each room at some time."""

    time: float
    available: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything, as it was at `now`."""

    now: float
    home: Path
    connections: tuple[ConnectionFact, ...] = ()
    labs: tuple[LabFact, ...] = ()
    store: StoreFact | None = None
    leftovers: tuple[Leftover, ...] = ()
    pool_overlays: tuple[Layer, ...] = ()
    """Files in local pools that stand on a golden image."""
    rooms: tuple[Room, ...] = ()
    history: tuple[Reading, ...] = ()
    """Earlier runs' readings, oldest first."""
    apparmor: bool = False
    """Whether this host confines programs with AppArmor."""

    @property
    def domains(self) -> tuple[DomainFact, ...]:
        return tuple(domain for each in self.connections for domain in each.domains)

    @property
    def in_use(self) -> frozenset[Path]:
        """All files that any domain's disks stand on."""
        return frozenset[Path]().union(*(domain.files for domain in self.domains))

    @property
    def blind(self) -> bool:
        """Whether some domain may be there that nobody could look at."""
        return any(each.trouble for each in self.connections)

    def foundations(self, besides: Collection[Path] = ()) -> frozenset[Path]:
        """All files that a lab's disks or kept snapshots stand on, whether a domain has them.

        What only the files `besides` stand on is left out.
        """
        layers = [layer for lab in self.labs for layer in (*lab.overlays, *lab.kept)]
        layers += self.pool_overlays
        return frozenset(
            layer.backing for layer in layers if layer.backing and layer.path not in besides
        )

    def lab(self, name: str) -> LabFact | None:
        """The lab of that name that has a folder here."""
        return next((lab for lab in self.labs if lab.name == name), None)
