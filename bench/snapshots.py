"""Six booted guests kept and brought back: `labctl snapshot` against plain virsh, node by node.

By hand it is virsh suspend of all, snapshot-create-as of each (internal: the one kind that this
libvirt can revert to, memory included), resume of all; then snapshot-revert of each, paused, and
resume of all. It proves nothing and keeps no digests; labctl does, and does nodes side by side.
Both leave the lab with another present, so they take turns, and each round begins with the disks
of one and the same snapshot: what virsh leaves in an overlay, labctl shall not have to copy.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import libvirt

from bench import ROOT
from bench.measure import LABCTL, in_turns, level_memory, run
from bench.result import Figure, Result
from harness.libvirtd import private_libvirtd
from labctl.images.store import FREE_GUEST

_LIMIT = 1.2
_ROUNDS = 5
_WRITTEN_MIB = 1024
"""More than either writes to keep the memory of the lab."""
_LAB = "snapshots"
_LABELS = ("create", "restore", "virsh create", "virsh revert")


def measure() -> Result:
    """Ratios of medians."""
    with (
        tempfile.TemporaryDirectory(prefix="labctl-bench-") as name,
        private_libvirtd() as libvirtd,
        _Contest(Path(name), libvirtd.uri).up() as contest,
    ):
        ours, by_hand = in_turns(_ROUNDS, contest.labctl, contest.virsh)
    series = [[times[index] for times in both] for both in (ours, by_hand) for index in (0, 1)]
    samples = dict(zip(_LABELS, series, strict=True))
    took = {label: median(seconds) for label, seconds in samples.items()}
    create, revert = took["virsh create"], took["virsh revert"]
    return Result(
        "snapshots",
        (
            Figure("snapshot create of 6 guests / virsh calls", took["create"] / create, _LIMIT),
            Figure("snapshot restore of 6 guests / virsh calls", took["restore"] / revert, _LIMIT),
        ),
        samples,
        (f"by hand {create:.1f} s and {revert:.1f} s; guests in software emulation",),
    )


class _Contest:
    """One lab of booted guests, two ways to keep it."""

    def __init__(self, folder: Path, uri: str) -> None:
        folder.chmod(0o755)  # QEMU may run as another user
        self._uri = uri
        self._folder = folder
        self._env = {"LABCTL_HOME": str(folder / "home")}
        self._domains: list[str] = []

    @contextmanager
    def up(self) -> Iterator[_Contest]:
        """Boot the example fabric, and keep it as `base`."""
        guest = subprocess.run(
            [ROOT / "lab/guests/frr/build", "--print-path"],
            capture_output=True,
            text=True,
            check=True,
        )
        file = self._folder / f"{_LAB}.yaml"
        example = (ROOT / "topologies/evpn-2x2.yaml").read_text()
        file.write_text(example.replace("lab: evpn-2x2\n", f"lab: {_LAB}\n"))
        self._labctl("image", "import", "--name", FREE_GUEST, guest.stdout.strip())
        self._labctl("up", "--no-verify", str(file))
        self._labctl("snapshot", "create", _LAB, "base")
        connection = libvirt.open(self._uri)
        self._domains = [domain.name() for domain in connection.listAllDomains()]
        connection.close()
        yield self
        self._labctl("destroy", "--yes", _LAB)

    def labctl(self) -> tuple[float, float]:
        """Seconds of create and of restore."""
        level_memory(self._folder, _WRITTEN_MIB)
        times = (
            self._labctl("snapshot", "create", _LAB, "new"),
            self._labctl("snapshot", "restore", "--no-safety", "--yes", _LAB, "new"),
        )
        self._labctl("snapshot", "delete", "--yes", _LAB, "new")
        return times

    def virsh(self) -> tuple[float, float]:
        """The same by hand, every call a program of its own."""
        level_memory(self._folder, _WRITTEN_MIB)
        times = (
            self._virsh("suspend {}", "snapshot-create-as {} new", "resume {}"),
            self._virsh("snapshot-revert {} new --paused", "resume {}"),
        )
        self._virsh("snapshot-delete {} new")
        self._labctl("snapshot", "restore", "--no-safety", "--yes", _LAB, "base")
        return times

    def _virsh(self, *commands: str) -> float:
        calls = [
            f"virsh -q -c '{self._uri}' {command.format(domain)}"
            for command in commands
            for domain in self._domains
        ]
        return run(["sh", "-ec", "\n".join(calls)]).wall

    def _labctl(self, *words: str) -> float:
        return run([*LABCTL, "-q", "-c", self._uri, *words], env=self._env).wall
