"""What looking at an image found: plain data, for the report, the verdict and a case folder.

Sizes in bytes, times ISO 8601 UTC. All text is printable: what an image holds is nobody's to trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from labctl.model.image import Provenance
from labctl.model.name_parts import NamePart
from labctl.model.signature import Match

WARN_LAYERS = 8
REFUSE_LAYERS = 32
"""labctl's policy, in files a disk stands on. libvirt 9 itself: see LIBVIRT_LAYERS."""
LIBVIRT_LAYERS = 199
"""libvirt refuses to start on more overlays ("self-referential or too deeply nested", measured)."""


class Depth(StrEnum):
    """How deep a chain is, by what it means."""

    SINGLE = "ok"
    DEEP = "deep"
    """From WARN_LAYERS on: every start and read is slower, nothing consolidates it by itself."""
    TOO_DEEP = "too deep"
    """From REFUSE_LAYERS on labctl starts nothing on it."""
    UNSTARTABLE = "unstartable"
    """Above LIBVIRT_LAYERS libvirt refuses it; QEMU dies of 1,847 layers."""


UNREPLAYED = "journal not replayed"
"""A file system's state after the power went: its next mount has to put it right."""


class InternalSnapshot(NamedTuple):
    """An internal snapshot: a state of the disk (and memory) kept within the file."""

    id: str
    name: str
    date: str
    vm_state_size: int


class Layer(NamedTuple):
    """One file of a chain, by its header alone. None where the format has no such thing."""

    path: str
    format: str
    size: int
    allocated: int
    modified: str
    virtual_size: int | None = None
    cluster_size: int | None = None
    version: int | None = None
    dirty: bool = False
    corrupt: bool = False
    encrypted: bool = False
    data_file: bool = False
    holds_data: bool | None = None
    """False: every read goes through to the layer below; None: it can't be told."""
    snapshots: tuple[InternalSnapshot, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def compat(self) -> str:
        """qcow2's version as qemu-img names it; "" for other formats."""
        return {2: "0.10", 3: "1.1"}.get(self.version or 0, "")


class Chain(NamedTuple):
    """A file and all it stands on, top first; `fault` says why the walk ended early."""

    layers: tuple[Layer, ...]
    fault: str = ""

    @property
    def below(self) -> int:
        """How many files the top one stands on."""
        return len(self.layers) - 1

    @property
    def depth(self) -> Depth:
        if self.below > LIBVIRT_LAYERS:
            return Depth.UNSTARTABLE
        if self.below >= REFUSE_LAYERS:
            return Depth.TOO_DEEP
        return Depth.DEEP if self.below >= WARN_LAYERS else Depth.SINGLE


class LayerCheck(NamedTuple):
    """qemu-img's check of one layer by itself. `standing`: clean, leaks, corrupt, unreadable,
    in use, not checked."""

    path: str
    standing: str
    corruptions: int = 0
    leaks: int = 0
    errors: int = 0
    words: str = ""

    @property
    def damaged(self) -> bool:
        return self.standing in ("corrupt", "unreadable")


class Origin(NamedTuple):
    """What is proved of where the file comes from, and how it was told."""

    provenance: Provenance
    published: str = ""
    """The published file of this name, release or size; "" where none is known."""
    published_size: int = 0
    md5: str = ""
    """Only where the size is that of a published file, or when asked."""
    store: str = ""
    """The name in the image store; "" for a file."""
    as_stored: bool | None = None
    """Whether its bytes are those of the store's manifest; None where they were not compared."""
    how: str = ""


class Partition(NamedTuple):
    """One entry of the partition table. `kind`: its type's GUID (GPT) or byte (MBR)."""

    number: int
    start: int
    size: int
    kind: str
    guid: str = ""
    """Its own GUID; "" in an MBR."""


class FileSystem(NamedTuple):
    """One file system: mountable or not, with `files` counted where it was listed."""

    device: str
    type: str
    label: str = ""
    files: int | None = None
    mounts: int | None = None
    """How often it was mounted, where the file system counts that (ext2 to ext4)."""
    last_mounted: str = ""
    problem: str = ""
    state: str = ""
    """What it says of itself, where it does (ext2 to ext4): clean, not clean, with errors."""


class BootLine(NamedTuple):
    """A line of a boot loader's configuration that starts a system, and the consoles it sets."""

    file_system: str
    path: str
    line: int
    text: str
    consoles: tuple[str, ...]


class VersionClue(NamedTuple):
    """A file that tells an NX-OS release: a boot image by its name, version.txt by its text."""

    file_system: str
    path: str
    line: int
    text: str
    release: str
    agrees: bool | None
    """With the image's name; None where the name tells no release."""


class Contents(NamedTuple):
    """What the disk holds. `problem` says why it, or a part of it, was not read."""

    layer: str
    """The file whose disk was read (through a private overlay)."""
    skipped: int = 0
    """Layers above it, too many for QEMU to open."""
    skipped_with_data: int = 0
    table: str = ""
    partitions: tuple[Partition, ...] = ()
    file_systems: tuple[FileSystem, ...] = ()
    boot_lines: tuple[BootLine, ...] = ()
    boot_files: tuple[str, ...] = ()
    """Boot loaders found, as FILE SYSTEM:PATH."""
    versions: tuple[VersionClue, ...] = ()
    matches: tuple[Match, ...] = ()
    unread: tuple[str, ...] = ()
    """Files not read or not wholly, each with the reason."""
    problem: str = ""


class Firmware(NamedTuple):
    """What the named device needs to boot, and whether this host has it."""

    needed: bool
    there: bool | None


class Verdict(StrEnum):
    """One word for all that was found; each has its reasons."""

    PRISTINE = "pristine"
    USED = "used"
    MODIFIED = "modified"
    DAMAGED = "damaged"
    NOT_BOOTABLE = "not bootable here"
    UNKNOWN = "unknown"
    """Nothing wrong was found, and nothing published to compare it with."""


class Reason(NamedTuple):
    """Why an image is what the verdict says, with where that stands."""

    verdict: Verdict
    text: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found, before it is judged."""

    path: str
    name: str
    """What its name is taken to be: the store's, or the file's."""
    claims: str
    """The NX-OS release the name tells; "" where it tells none."""
    origin: Origin
    chain: Chain
    checks: tuple[LayerCheck, ...]
    name_parts: tuple[NamePart, ...] = ()
    """The name's pieces with what each tells; none where it isn't understood."""
    looked: str = ""
    """When it was looked at: what the layers' ages are counted to."""
    unchecked: str = ""
    """Why layers were left out of the check."""
    in_use: bool = False
    firmware: Firmware = Firmware(needed=False, there=None)
    contents: Contents | None = None
    """None: not asked for (`--deep`)."""

    @property
    def top(self) -> Layer:
        return self.chain.layers[0]


@dataclass(frozen=True, slots=True)
class Inspection:
    """An image looked at and judged."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    depth: Depth
    found: Findings
