"""Does it fit? Memory, CPUs and disk space, summed over the lab and all that runs besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from labctl.hypervisor.api import ObservedDomain
from labctl.model.finding import Finding, Severity
from labctl.model.fit import nic_count
from labctl.model.intent import NodeIntent
from labctl.model.site import TRANSLATION_CACHE
from labctl.preflight.facts import OFF, Facts

QEMU_BASE = 48
"""MiB QEMU takes besides the guest's memory (proportional set size less guest RAM and translated
code): 18 paused, 48 two minutes after the FRR guest was ready; QEMU 7.2, virtio, TCG."""
QEMU_NIC = 0.4
"""MiB for each NIC: 0, 8 and 24 virtio NICs on UDP took 17.6, 20.8 and 26.9."""
PAGE_TABLES = 1 / 512
"""Of the guest's memory: 8 bytes of page table for each page of 4 KiB."""
FOREIGN_CACHE, FOREIGN_CACHE_SHARE = 1024, 1 / 8
"""MiB, or of the host's memory, whichever is less: translated code of a machine that isn't ours
(QEMU's default `tb-size`: tcg_region_init in tcg/region.c)."""
RESERVE_SHARE, RESERVE_LEAST = 1 / 20, 512
"""Of the host's memory, MiB at least: kept for the host itself, libvirt and labctl."""
DISK_SHARE = 1 / 10
"""Of its virtual size an overlay is expected to grow to: logs and configuration, no new system."""
_MIB = 1 << 20


def qemu_overhead(
    memory: int, nics: int, virt_type: str, *, cache: float = TRANSLATION_CACHE
) -> int:
    """MiB the host spends on a machine besides its `memory` (MiB). None for test domains.

    `cache` is the translated code it may hold, which counts under TCG alone.
    """
    if virt_type == "test":
        return 0
    overhead = QEMU_BASE + nics * QEMU_NIC + memory * PAGE_TABLES
    return ceil(overhead + (cache if virt_type == "qemu" else 0))


@dataclass(frozen=True, slots=True)
class _Need:
    """MiB of memory wanted: the lab's nodes, QEMU besides, other running domains with theirs."""

    nodes: int
    overhead: int
    other: int

    @property
    def sum(self) -> int:
        return self.nodes + self.overhead + self.other


def check_memory(facts: Facts, virt_type: str) -> Iterable[Finding]:
    """All configured memory against the host's, and what is to start against what is free."""
    total, free = facts.host.memory_total, facts.host.memory_free
    if total is None:
        yield Finding("memory", Severity.NOTE, "this driver does not tell the host's memory")
        return
    finding = _sum_finding(facts, _need(facts, virt_type, total), total)
    yield finding
    if free is not None and finding.severity is Severity.OK:
        yield from _check_free(facts, virt_type, free)


def _need(facts: Facts, virt_type: str, total: int) -> _Need:
    nodes = facts.intent.nodes.values()
    return _Need(
        nodes=sum(node.node.memory for node in nodes),
        overhead=sum(_overhead(facts, node, virt_type) for node in nodes),
        other=sum(held(domain, virt_type, total) for domain in _others(facts)),
    )


def _sum_finding(facts: Facts, need: _Need, total: int) -> Finding:
    reserve = kept_for_host(total)
    ratio = facts.intent.lab.requirements.memory_overcommit
    room = int((total - reserve) * ratio)
    refused = need.sum > room
    sizes = Counter(node.node.memory for node in facts.intent.nodes.values())
    parts = [f"{count} x {memory} MiB" for memory, count in sorted(sizes.items(), reverse=True)]
    parts.append(f"{need.overhead} MiB QEMU overhead")
    if need.other:
        parts.append(f"{need.other} MiB of other running domains")
    return Finding(
        "memory",
        Severity.REFUSE if refused else Severity.OK,
        f"{' + '.join(parts)} = {need.sum} MiB {'>' if refused else '<='} {room} MiB "
        f"= ({total} - {reserve} kept for the host) x {ratio:g} (memory_overcommit)",
        "make nodes smaller or fewer, stop other domains, or set "
        "`host: {memory_overcommit: ...}` in the file"
        if refused
        else "",
        evidence={
            "nodes_mib": need.nodes,
            "overhead_mib": need.overhead,
            "other_domains_mib": need.other,
            "needed_mib": need.sum,
            "host_mib": total,
            "reserve_mib": reserve,
            "overcommit": ratio,
            "room_mib": room,
        },
    )


def _check_free(facts: Facts, virt_type: str, free: int) -> Iterable[Finding]:
    """The machines yet to start against what nobody uses now: other programs need memory too."""
    running = {
        domain.metadata.node
        for domain in facts.domains
        if domain.metadata and facts.is_ours(domain) and domain.state not in OFF
    }
    starting = [node for name, node in facts.intent.nodes.items() if name not in running]
    needed = sum(node.node.memory + _overhead(facts, node, virt_type) for node in starting)
    ratio = facts.intent.lab.requirements.memory_overcommit
    room = int(free * ratio)
    if needed > room:
        yield Finding(
            "free memory",
            Severity.REFUSE,
            f"{len(starting)} nodes to start need {needed} MiB > {room} MiB "
            f"= {free} free now x {ratio:g} (memory_overcommit)",
            "end programs that use much memory, or set `host: {memory_overcommit: ...}`",
            evidence={"needed_mib": needed, "free_mib": free, "overcommit": ratio},
        )


def check_vcpus(facts: Facts) -> Iterable[Finding]:
    """Virtual CPUs for each real one. Too many make a lab slow, not impossible: a warning."""
    ours = sum(node.node.vcpus for node in facts.intent.nodes.values())
    other = sum(domain.vcpus for domain in _others(facts))
    cpus, limit = facts.host.cpus, facts.intent.lab.requirements.vcpu_overcommit
    ratio = (ours + other) / cpus
    crowded = ratio > limit
    yield Finding(
        "vcpus",
        Severity.WARN if crowded else Severity.OK,
        f"{ours} of the lab + {other} running elsewhere = {ours + other} on {cpus} CPUs: "
        f"{ratio:.1f} for each, {limit:g} allowed (vcpu_overcommit)",
        "expect slow boots; use fewer vCPUs, or raise `host: {vcpu_overcommit: ...}`"
        if crowded
        else "",
        evidence={"lab": ours, "others": other, "cpus": cpus, "ratio": ratio, "allowed": limit},
    )


def check_disk(facts: Facts) -> Iterable[Finding]:
    """Room for overlays: what they are likely to take, and what they can at most."""
    if facts.storage is None:
        yield Finding("disk space", Severity.NOTE, "this connection does not tell it")
        return
    sizes = [
        facts.images[node.node.image].virtual_size
        for name, node in facts.intent.nodes.items()
        if name not in facts.made and node.node.image in facts.images
    ]
    most, likely = sum(sizes) // _MIB, ceil(sum(sizes) * DISK_SHARE / _MIB)
    free = facts.storage.free // _MIB
    severity = Severity.OK
    if likely > free:
        severity = Severity.REFUSE
    elif most > free:
        severity = Severity.WARN
    yield Finding(
        "disk space",
        severity,
        f"{len(sizes)} new overlays are likely to take {likely} MiB, at most {most} MiB; "
        f"{free} MiB are free below {facts.home.folder}",
        "" if severity is Severity.OK else "make room there, or move LABCTL_HOME to a larger disk",
        evidence={"likely_mib": likely, "most_mib": most, "free_mib": free},
    )


def _overhead(facts: Facts, node: NodeIntent, virt_type: str) -> int:
    nics = nic_count(facts.platforms[node.node.platform], node)
    return qemu_overhead(node.node.memory, nics, virt_type)


def kept_for_host(total: int) -> int:
    """MiB of a host's `total` memory that no machine is to have."""
    return max(ceil(total * RESERVE_SHARE), RESERVE_LEAST)


def held(domain: ObservedDomain, virt_type: str, host_memory: int) -> int:
    """MiB an active machine may take of the host's memory (MiB), what QEMU takes besides it too."""
    ours = domain.metadata is not None
    cache = TRANSLATION_CACHE if ours else min(FOREIGN_CACHE, host_memory * FOREIGN_CACHE_SHARE)
    nics = len(domain.macs)
    return domain.memory + qemu_overhead(domain.memory, nics, virt_type, cache=cache)


def _others(facts: Facts) -> list[ObservedDomain]:
    """Machines that hold memory and are not this lab's; this lab's are counted as the file says."""
    return [
        domain for domain in facts.domains if domain.state not in OFF and not facts.is_ours(domain)
    ]
