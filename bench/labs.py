"""The topologies that are measured, and what they need to stand on: a home with a golden image."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import LABCTL, run
from labctl.images.store import FREE_GUEST

_VRFS = """
  vrfs:
    - name: tenant-a
      vni: 50001
      networks:
        - {name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}
        - {name: db, vlan: 20, vni: 10020, gateway: 10.10.20.1/24}
"""


# Paused at their first instruction, guests hold next to no memory, whatever they are promised.
PAUSED = "host: {memory_overcommit: 16, vcpu_overcommit: 64}\n"


def fabric(name: str, spines: int, leaves: int, routing: str = "ospf") -> str:
    """A topology file: every leaf on every spine, one VRF with two networks on all leaves."""
    return (
        f"lab: {name}\n"
        "platform: frr\n"
        "fabric:\n"
        f"  spines: {spines}\n"
        f"  leaves: {leaves}\n"
        f"  underlay: {{routing: {routing}, links: unnumbered}}\n"
        "  addressing: {loopbacks: 10.0.0.0/20, vteps: 10.0.16.0/20}" + _VRFS
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for rendered files, in memory where there is such: no disk is to be measured."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="labctl-bench-", dir=memory if memory.is_dir() else None
    ) as folder:
        yield Path(folder)


@contextmanager
def home() -> Iterator[Path]:
    """A labctl home of its own with an empty disk as golden image: nothing measured boots."""
    with tempfile.TemporaryDirectory(prefix="labctl-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # QEMU may run as another user
        disk = folder / "empty.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1G"], check=True)
        env = {"LABCTL_HOME": str(folder / "home")}
        run([*LABCTL, "image", "import", "--name", FREE_GUEST, str(disk)], env=env)
        yield folder
