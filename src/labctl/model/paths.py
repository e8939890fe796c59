"""Where labctl keeps things on a host. Every path a lab owns lies below one folder.

HOME/images/          the image store
HOME/quarantine/      damaged images put aside as evidence, a folder each
HOME/labs/LAB/        topology.yaml and files.json (files it refers to) as applied, journal.jsonl
HOME/labs/LAB/nodes/NODE/   disk.qcow2, day0.iso, console.log, started (its mtime: last start),
                            merge.json (only while layers are merged: labctl.ops.merge),
                            warming (while its machine is being restored for a warm start)
HOME/labs/LAB/snapshots/NAME/   see labctl.model.snapshot
HOME/labs/LAB.lock    the lab's lock, held while a run changes the lab
HOME/imports/LAB/     an archive being unpacked; what is there without a run is a killed one's
HOME/locks/           locks wider than a lab (port allocation on a hypervisor)
HOME/secrets/         passwords, for nobody's eyes but the owner's
HOME/cache/           what can be thrown away at any time (canary verdicts, states for warm starts)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


def default_home() -> Path:
    """LABCTL_HOME, else /var/lib/labctl for root, else ~/.local/share/labctl (XDG)."""
    if named := os.environ.get("LABCTL_HOME"):
        return Path(named).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/labctl")
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(base) / "labctl"


class NodePaths(NamedTuple):
    """The files of one node."""

    folder: Path

    @property
    def overlay(self) -> Path:
        return self.folder / "disk.qcow2"

    @property
    def day0(self) -> Path:
        return self.folder / "day0.iso"

    @property
    def variables(self) -> Path:
        """The firmware's variables, where it keeps any."""
        return self.folder / "nvram.fd"

    @property
    def console_log(self) -> Path:
        return self.folder / "console.log"

    @property
    def started(self) -> Path:
        return self.folder / "started"

    @property
    def warming(self) -> Path:
        """There while a warm start is at work on the node, or was when it was killed."""
        return self.folder / "warming"


class LabPaths(NamedTuple):
    """The files of one lab."""

    folder: Path

    @property
    def topology(self) -> Path:
        return self.folder / "topology.yaml"

    @property
    def files(self) -> Path:
        return self.folder / "files.json"

    @property
    def retention(self) -> Path:
        return self.folder / "retention.json"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    @property
    def lock(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.lock")

    @property
    def nodes(self) -> Path:
        return self.folder / "nodes"

    def node(self, name: str) -> NodePaths:
        return NodePaths(self.nodes / name)

    @property
    def snapshots(self) -> Path:
        return self.folder / "snapshots"


class Home(NamedTuple):
    """labctl's folder on this machine."""

    folder: Path

    @property
    def images(self) -> Path:
        return self.folder / "images"

    @property
    def quarantine(self) -> Path:
        return self.folder / "quarantine"

    @property
    def labs(self) -> Path:
        return self.folder / "labs"

    @property
    def imports(self) -> Path:
        return self.folder / "imports"

    @property
    def locks(self) -> Path:
        return self.folder / "locks"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def admin_password(self) -> Path:
        return self.folder / "secrets" / "nxos-admin"

    def lab(self, name: str) -> LabPaths:
        return LabPaths(self.labs / name)
