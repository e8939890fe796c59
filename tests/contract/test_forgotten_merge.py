"""A merge that a killed run began mirrors for ever; the next one begins it anew and ends it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.backends import Backend
from harness.cron import qemu
from labctl.hygiene.walk import disks_of
from labctl.hypervisor.api import DomainState

NAME = "contract.leaf-1"
DISK = (
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
    "<source file='{file}'/><target dev='vda' bus='virtio'/></disk>"
)


@pytest.mark.libvirtd
def test_a_forgotten_merge_is_begun_anew(real: Backend, libvirtd_uri: str, tmp_path: Path) -> None:
    base, top = tmp_path / "disk.qcow2", tmp_path / "disk.top"
    qemu("qemu-img", "create", "-f", "qcow2", base, "1M")
    qemu("qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", base, top)
    real.hypervisor.define(real.xml(devices=DISK.format(file=top)))
    real.hypervisor.start(NAME, paused=True)
    words = ["blockcommit", NAME, "vda", "--active", "--wait"]
    subprocess.run(
        ["virsh", "-c", libvirtd_uri, *words], check=True, capture_output=True, timeout=60
    )
    (disk,) = disks_of(real.hypervisor.xml(NAME))
    assert (disk.file, disk.mirror) == (str(top), str(base))
    real.hypervisor.block_commit(NAME, "vda", str(base), deadline=60)
    (disk,) = disks_of(real.hypervisor.xml(NAME))
    assert (disk.file, disk.mirror) == (str(base), "")
    found = real.hypervisor.domain(NAME)
    assert found is not None
    assert found.state is DomainState.PAUSED
    assert not top.exists()
