"""A lab at one instant: what a snapshot's manifest records, and its form as JSON.

SNAPSHOT/manifest.json
SNAPSHOT/topology.yaml, files.json      the topology as applied
SNAPSHOT/NODE/memory                    libvirt's saved memory; only of machines that were active
SNAPSHOT/NODE/disk.qcow2                a copy of the overlay; its backing file is the golden image
SNAPSHOT/NODE/domain.xml                the definition
SNAPSHOT/NODE/day0.iso, nvram.fd, console.log
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What a snapshot's name is like, as a pattern."""
FORMAT = 1
"""Of the manifest and of what stands beside it; another one is not restored."""

MEMORY, DISK, DEFINITION = "memory", "disk.qcow2", "domain.xml"
IMPORTED = "import:"
"""Begins the URI in the manifest of a snapshot that came in an archive: no hypervisor's own."""


class Kind(StrEnum):
    """Why a snapshot was taken."""

    MANUAL = "manual"
    SAFETY = "safety"
    """By `restore`, of the present it was about to replace."""
    WARM = "warm"
    """By `up`, of a fabric that had just been verified."""


class Power(StrEnum):
    """What a machine was doing at the instant."""

    RUNNING = "running"
    PAUSED = "paused"
    OFF = "off"


class PartFile(NamedTuple):
    """A file of a part: size in bytes, SHA-256 in hex."""

    size: int
    sha256: str


class Part(NamedTuple):
    """One node of a snapshot. `memory` in MiB; `golden` is the golden image's SHA-256."""

    node: str
    domain: str
    power: Power
    memory: int
    vcpus: int
    machine: str
    spec: str
    golden: str
    files: Mapping[str, PartFile]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files.values())


class Manifest(NamedTuple):
    """A snapshot of a lab. Times in seconds, `clock` and `created` as of the pause.

    Written before the first machine is paused (`complete` false: `running` names those to be
    resumed by whoever finds it so), and again when every part is whole.
    """

    lab: str
    name: str
    kind: Kind
    description: str
    created: str
    """ISO 8601 UTC."""
    clock: float
    """Seconds since 1970."""
    parent: str
    """The snapshot that the lab's state came from; "" for none."""
    with_memory: bool
    labctl: str
    qemu: str
    libvirt: str
    uri: str
    running: tuple[str, ...]
    complete: bool = False
    pause_skew: float = 0.0
    """From the first machine's halt to the last one's."""
    resume_skew: float = 0.0
    halted: float = 0.0
    """How long the lab stood still."""
    parts: tuple[Part, ...] = ()
    left_out: tuple[str, ...] = ()
    """Nodes that were there and could not be captured: a restore leaves them alone."""
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of all its parts."""
        return sum(part.size for part in self.parts)

    @property
    def imported_from(self) -> str:
        """The archive it came in, "" for one taken here."""
        return self.uri.removeprefix(IMPORTED) if self.uri.startswith(IMPORTED) else ""

    def part(self, node: str) -> Part | None:
        """The node's part, None when the snapshot has none."""
        return next((part for part in self.parts if part.node == node), None)


def to_json(manifest: Manifest) -> str:
    """The manifest as a JSON document."""
    data = manifest._asdict()
    data["parts"] = [_part_data(part) for part in manifest.parts]
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def from_json(text: str) -> Manifest:
    """Read a manifest; raises ValueError for what is none, or one of another format."""
    try:
        data: dict[str, Any] = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}, this labctl knows {FORMAT}")
        data["kind"] = Kind(data["kind"])
        data["running"] = tuple(data["running"])
        data["left_out"] = tuple(data.get("left_out", ()))
        data["parts"] = tuple(_part(each) for each in data["parts"])
        return Manifest(**data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no manifest of a snapshot: {error!r}") from None


def _part_data(part: Part) -> dict[str, Any]:
    return {**part._asdict(), "files": {name: it._asdict() for name, it in part.files.items()}}


def _part(data: Mapping[str, Any]) -> Part:
    files = {name: PartFile(**values) for name, values in data["files"].items()}
    return Part(**{**data, "power": Power(data["power"]), "files": files})


def latest_first(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Sorted by age, the youngest first."""
    return sorted(manifests, key=lambda manifest: (manifest.clock, manifest.name), reverse=True)
