"""A host on which the sample lab passes every check; tests break one thing at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.samples import ports, sample
from labctl.hypervisor.api import DomainCapabilities, HostFacts
from labctl.model.paths import Home
from labctl.preflight.canary import KvmVerdict
from labctl.preflight.facts import Facts, ImageFact, MachineFact, StorageFact
from labctl.topology.platforms import load_platforms

GIB = 1 << 30


@pytest.fixture
def facts() -> Facts:
    """A fresh, quiet host of 24,000 MiB with working KVM."""
    offered = DomainCapabilities(
        virt_type="kvm",
        machine="pc",
        emulator="/usr/bin/qemu-system-x86_64",
        machines=frozenset({"pc", "q35"}),
        loader_types=frozenset({"rom", "pflash"}),
        disk_buses=frozenset({"ide", "sata", "virtio"}),
        lookup_seconds=0.005,
    )
    return Facts(
        intent=sample(),
        platforms=load_platforms(),
        home=Home(Path("/srv/labctl")),
        host=HostFacts(
            uri="qemu:///system",
            hostname="lab-host",
            cpus=2,
            memory_total=24_000,
            memory_free=20_000,
            libvirt_version="9.0.0",
            hypervisor_version="7.2.0",
            is_local=True,
            is_session=False,
            driver="QEMU",
        ),
        domains=(),
        networks=(),
        ports=ports(),
        virt_types=frozenset({"kvm", "qemu"}),
        kvm=KvmVerdict(True, "the canary answered in 0.2 s", 0.2, False),
        machines={"pc": MachineFact(offered)},
        lookups=(0.005,),
        devices=frozenset({"virtio-net-pci", "e1000"}),
        images={"frr": ImageFact(GIB)},
        storage=StorageFact(free=100 * GIB),
        routes=(),
        udp_in_use=frozenset(),
    )
