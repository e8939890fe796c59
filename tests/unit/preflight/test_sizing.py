"""The sums: memory, CPUs, disk, to the MiB."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.quiet_host import domain, of, quiet_host, requiring, the
from harness.samples import change_node
from labctl.hypervisor.api import DomainState, ObservedDomain
from labctl.model.finding import Severity
from labctl.model.identity import domain_name
from labctl.model.lab import Requirements
from labctl.model.site import TRANSLATION_CACHE
from labctl.preflight.checks import check
from labctl.preflight.facts import Facts, StorageFact
from labctl.preflight.sizing import qemu_overhead

GIB = 1 << 30
REFUSE, WARN, NOTE, OK = Severity.REFUSE, Severity.WARN, Severity.NOTE, Severity.OK


@pytest.fixture
def facts() -> Facts:
    return quiet_host()


@pytest.mark.parametrize(
    ("memory", "nics", "virt_type", "overhead"),
    [
        (256, 1, "kvm", 49),  # 48 + 0.4 + 0.5
        (256, 1, "qemu", 49 + TRANSLATION_CACHE),
        (8192, 65, "kvm", 90),  # 48 + 26 + 16
        (8192, 65, "qemu", 90 + TRANSLATION_CACHE),
        (8192, 65, "test", 0),
    ],
)
def test_qemu_overhead(memory: int, nics: int, virt_type: str, overhead: int) -> None:
    assert qemu_overhead(memory, nics, virt_type) == overhead


def test_translated_code_of_other_machines(facts: Facts) -> None:
    """Ours are bounded by their XML, foreign ones by QEMU: 1 GiB, an eighth of a small host."""
    emulated = requiring(facts, Requirements(kvm=False))
    alone = replace(emulated, virt_types=frozenset({"qemu"}), kvm=None)

    def held(*domains: ObservedDomain) -> object:
        return the(replace(alone, domains=domains), "memory").evidence["other_domains_mib"]

    assert held(domain(lab="other", memory=256)) == 256 + 49 + TRANSLATION_CACHE
    assert held(domain("windows", memory=256)) == 256 + 49 + 1024


def test_six_nodes_of_8_gib_on_24(facts: Facts) -> None:
    """The sum in words, as the issue shows it."""
    intent = facts.intent
    node = change_node(intent, "leaf-1", memory=8192).nodes["leaf-1"]
    node = replace(node, ports=())
    big = replace(facts, intent=replace(intent, nodes={f"leaf-{n}": node for n in range(6)}))
    finding = the(big, "memory")
    # overhead: 48 + 0.4 + 16 = 65 each; reserve: 24000 / 20
    assert finding.severity is REFUSE
    assert finding.message == (
        "6 x 8192 MiB + 390 MiB QEMU overhead = 49542 MiB > 22800 MiB "
        "= (24000 - 1200 kept for the host) x 1 (memory_overcommit)"
    )
    assert "memory_overcommit" in finding.resolution
    allowed = requiring(big, Requirements(memory_overcommit=3.0))
    assert the(allowed, "memory").severity is OK
    assert the(allowed, "memory").evidence["room_mib"] == 68_400


def test_memory_counts_what_runs_besides_and_its_own_once(facts: Facts) -> None:
    own = domain("sample.leaf-1", lab="sample", memory=512)
    other = domain(lab="other", memory=1000, macs=("02:00:00:00:00:01", "02:00:00:00:00:02"))
    foreign = domain("windows", memory=2000, state=DomainState.PAUSED)
    off = domain("off", memory=9000, state=DomainState.SHUT_OFF)
    finding = the(replace(facts, domains=(own, other, foreign, off)), "memory")
    # nodes: 3 x 256; their overhead, NICs 2 + 4 + 3: 50 + 51 + 50 rounded up each
    # others: 1000 + ceil(48 + 0.8 + 1.95) and 2000 + ceil(48 + 3.9)
    assert finding.evidence["nodes_mib"] == 768
    assert finding.evidence["overhead_mib"] == 50 + 51 + 50
    assert finding.evidence["other_domains_mib"] == 1051 + 2052
    assert finding.evidence["needed_mib"] == 768 + 151 + 3103


def test_mixed_sizes_are_shown_largest_first(facts: Facts) -> None:
    mixed = replace(facts, intent=change_node(facts.intent, "leaf-1", memory=1024))
    assert the(mixed, "memory").message.startswith("1 x 1024 MiB + 2 x 256 MiB + ")


def test_memory_that_others_hold_now(facts: Facts) -> None:
    tight = replace(facts, host=replace(facts.host, memory_free=800))
    finding = the(tight, "free memory")
    assert finding.severity is REFUSE
    assert finding.evidence["needed_mib"] == 768 + 151
    up = tuple(
        domain(domain_name("sample", name), lab="sample", node=name) for name in facts.intent.nodes
    )
    assert of(check(replace(tight, domains=up)), "free memory") == []
    assert of(check(requiring(tight, Requirements(memory_overcommit=1.5))), "free memory") == []


def test_unknown_memory_is_a_note(facts: Facts) -> None:
    silent = replace(facts, host=replace(facts.host, memory_total=None, memory_free=None))
    assert the(silent, "memory").severity is NOTE


def test_vcpus_over_the_ratio_are_a_warning(facts: Facts) -> None:
    assert the(facts, "vcpus").evidence["ratio"] == 1.5
    busy = replace(facts, domains=(domain(vcpus=14), domain(vcpus=99, state=DomainState.SHUT_OFF)))
    assert the(busy, "vcpus").severity is WARN
    assert "3 of the lab + 14 running elsewhere = 17 on 2 CPUs" in the(busy, "vcpus").message
    assert the(requiring(busy, Requirements(vcpu_overcommit=8.5)), "vcpus").severity is OK


@pytest.mark.parametrize(
    ("free", "severity"), [(307 << 20, REFUSE), (308 << 20, WARN), (3 * GIB, OK)]
)
def test_room_for_overlays(facts: Facts, free: int, severity: Severity) -> None:
    """Three overlays of 1 GiB: a tenth is likely, all is the most."""
    finding = the(replace(facts, storage=StorageFact(free=free)), "disk space")
    assert finding.severity is severity
    assert (finding.evidence["likely_mib"], finding.evidence["most_mib"]) == (308, 3072)


def test_overlays_that_are_there_need_no_room(facts: Facts) -> None:
    made = replace(facts, storage=StorageFact(free=0), made=frozenset(facts.intent.nodes))
    assert the(made, "disk space").severity is OK


def test_storage_problems_are_refusals(facts: Facts) -> None:
    closed = replace(facts, storage=StorageFact(GIB * 9, ("/root can't be entered", "b")))
    assert [f.message for f in of(check(closed), "storage")] == ["/root can't be entered", "b"]
    assert of(check(replace(facts, storage=None)), "storage") == []
