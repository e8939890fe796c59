"""A host on which the sample lab passes every check; tests break one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.samples import ports, sample
from labctl.hypervisor.api import (
    DomainCapabilities,
    DomainState,
    HostFacts,
    LabMetadata,
    ObservedDomain,
    UdpEnd,
)
from labctl.model.finding import Finding, PreflightReport
from labctl.model.lab import Requirements
from labctl.model.paths import Home
from labctl.preflight.canary import KvmVerdict
from labctl.preflight.checks import check
from labctl.preflight.facts import Facts, ImageFact, MachineFact, StorageFact
from labctl.topology.platforms import load_platforms

GIB = 1 << 30


def quiet_host() -> Facts:
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


def of(report: PreflightReport, name: str) -> list[Finding]:
    """The findings of one check."""
    return [finding for finding in report.findings if finding.check == name]


def the(facts: Facts, name: str) -> Finding:
    """The one finding of one check."""
    (finding,) = of(check(facts), name)
    return finding


def requiring(facts: Facts, requirements: Requirements) -> Facts:
    """The same for a file that demands more."""
    lab = replace(facts.intent.lab, requirements=requirements)
    return replace(facts, intent=replace(facts.intent, lab=lab))


def domain(
    name: str = "other.leaf-1",
    *,
    lab: str | None = None,
    node: str = "leaf-1",
    state: DomainState = DomainState.RUNNING,
    memory: int = 1000,
    vcpus: int = 1,
    uuid: str = "11111111-2222-3333-4444-555555555555",
    macs: tuple[str, ...] = (),
    ports: tuple[int, ...] = (),
    disks: tuple[str, ...] = (),
) -> ObservedDomain:
    """A running domain; foreign unless it has a `lab`."""
    mark = None
    if lab is not None:
        mark = LabMetadata(lab, node, "leaf", "frr", "0.1.0", "spec")
    ends = tuple(UdpEnd("", ("127.0.0.1", p), ("127.0.0.1", p + 1)) for p in ports)
    return ObservedDomain(name, uuid, state, memory, vcpus, mark, macs, ends, disks)
