"""Each check: the sum or clash it must see, and that it sees nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from harness.samples import SUBNET, change_node, ports
from labctl.hypervisor.api import (
    DomainState,
    LabMetadata,
    ObservedDomain,
    ObservedNetwork,
    UdpEnd,
)
from labctl.model.finding import Finding, PreflightReport, Severity
from labctl.model.identity import bridge_name, domain_name, domain_uuid, mac_address
from labctl.model.lab import Requirements
from labctl.preflight.canary import KvmVerdict
from labctl.preflight.checks import check
from labctl.preflight.facts import Facts, ImageFact, MachineFact, Route, StorageFact
from labctl.preflight.sizing import qemu_overhead

GIB = 1 << 30
REFUSE, WARN, NOTE, OK = Severity.REFUSE, Severity.WARN, Severity.NOTE, Severity.OK
FAILED = KvmVerdict(False, "the canary failed: no answer within 5 s", 5.0, False)


def of(report: PreflightReport, name: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.check == name]


def the(facts: Facts, name: str) -> Finding:
    (finding,) = of(check(facts), name)
    return finding


def requiring(facts: Facts, requirements: Requirements) -> Facts:
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
    mark = None
    if lab is not None:
        mark = LabMetadata(lab, node, "leaf", "frr", "0.1.0", "spec")
    ends = tuple(UdpEnd("", ("127.0.0.1", p), ("127.0.0.1", p + 1)) for p in ports)
    return ObservedDomain(name, uuid, state, memory, vcpus, mark, macs, ends, disks)


def test_nothing_speaks_against_a_quiet_host(facts: Facts) -> None:
    report = check(facts)
    assert {finding.severity for finding in report.findings} == {OK}
    assert report.virt_type == "kvm"
    assert not report.refused


def test_everything_wrong_is_told_at_once(facts: Facts) -> None:
    broken = replace(
        requiring(facts, Requirements(kvm=True)),
        kvm=FAILED,
        host=replace(facts.host, memory_total=1000),
        images={"frr": ImageFact(GIB, ("no image 'frr' in the store",), "build it")},
        domains=(domain("sample.leaf-1"),),
        storage=StorageFact(free=0, problems=("/srv is not writable",)),
        machines={"pc": MachineFact(None, "no machine pc")},
        udp_in_use=frozenset(facts.ports.values()),
        routes=(Route(SUBNET, "eth0"),),
    )
    refused = {finding.check for finding in check(broken).refusals}
    assert refused == {
        "kvm", "memory", "image", "domains", "storage", "disk space", "machine", "udp ports",
        "management",
    }  # fmt: skip


# --- memory


@pytest.mark.parametrize(
    ("memory", "nics", "virt_type", "host", "overhead"),
    [
        (256, 1, "kvm", 24_000, 49),  # 48 + 0.4 + 0.5
        (256, 1, "qemu", 24_000, 113),  # + a quarter of 256
        (8192, 65, "kvm", 24_000, 90),  # 48 + 26 + 16
        (8192, 65, "qemu", 24_000, 1114),  # + 1024, QEMU's limit
        (8192, 65, "qemu", 4_000, 590),  # + 500, an eighth of the host
        (8192, 65, "test", 24_000, 0),
    ],
)
def test_qemu_overhead(memory: int, nics: int, virt_type: str, host: int, overhead: int) -> None:
    assert qemu_overhead(memory, nics, virt_type, host) == overhead


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


# --- CPUs and disk


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


# --- KVM


@pytest.mark.parametrize(
    ("wanted", "kvm", "offered", "virt_type", "severity"),
    [
        (None, KvmVerdict(True, "", 0.1, True), {"kvm", "qemu"}, "kvm", OK),
        (True, KvmVerdict(True, "", 0.1, True), {"kvm"}, "kvm", OK),
        (None, FAILED, {"kvm", "qemu"}, "qemu", WARN),
        (None, FAILED, {"qemu"}, "qemu", NOTE),
        (None, FAILED, {"kvm"}, "qemu", REFUSE),
        (False, None, {"kvm", "qemu"}, "qemu", OK),
        (False, None, {"kvm"}, "qemu", REFUSE),
        (True, FAILED, {"kvm", "qemu"}, "kvm", REFUSE),
    ],
)
def test_the_virt_type(
    facts: Facts,
    wanted: bool | None,
    kvm: KvmVerdict | None,
    offered: set[str],
    virt_type: str,
    severity: Severity,
) -> None:
    asked = replace(facts, kvm=kvm, virt_types=frozenset(offered))
    report = check(requiring(asked, Requirements(kvm=wanted)))
    (finding,) = of(report, "kvm")
    assert (report.virt_type, finding.severity) == (virt_type, severity)


def test_a_lab_that_demands_kvm_is_refused_by_the_canary(facts: Facts) -> None:
    finding = the(requiring(replace(facts, kvm=FAILED), Requirements(kvm=True)), "kvm")
    assert "the KVM canary says no" in finding.message
    assert FAILED.reason in finding.message


def test_on_the_test_driver_what_cant_be_known_is_a_note(facts: Facts) -> None:
    host = replace(facts.host, driver="TEST", memory_total=None, memory_free=None)
    report = check(
        replace(facts, host=host, kvm=None, machines={}, lookups=(), storage=None, routes=None)
    )
    assert report.virt_type == "test"
    assert not report.refused
    assert {f.check for f in report.findings if f.severity is NOTE} == {
        "kvm", "memory", "machine", "disk space", "management",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lookups", "told"), [((0.9,), 0), ((4.6, 0.01), 0), ((4.6, 4.5), 1), ((1.1, 1.1), 1)]
)
def test_slow_lookups_twice_mean_an_unusable_dev_kvm(
    facts: Facts, lookups: tuple[float, ...], told: int
) -> None:
    found = of(check(replace(facts, lookups=lookups)), "capabilities")
    assert [finding.severity for finding in found] == [WARN] * told
    assert all("/dev/kvm" in f.message and "/dev/kvm" in f.resolution for f in found)


# --- machines and images


def test_what_qemu_lacks_is_named(facts: Facts) -> None:
    known = facts.machines["pc"].capabilities
    assert known is not None
    poor = replace(known, machines=frozenset({"q35"}), disk_buses=frozenset({"sata"}))
    lacking = replace(facts, machines={"pc": MachineFact(poor)}, devices=frozenset({"e1000"}))
    switches, hosts = of(check(lacking), "machine")
    for words in ("machine type pc", "no virtio disks", "no ide disks", "no NIC model virtio"):
        assert words in switches.message
    assert (switches.nodes, hosts.nodes) == (("spine-1", "leaf-1"), ("host-1",))
    unknown = check(replace(facts, devices=None))
    assert {finding.severity for finding in of(unknown, "machine")} == {OK}


def test_a_machine_type_libvirt_refuses_is_a_refusal(facts: Facts) -> None:
    refused = replace(facts, machines={"pc": MachineFact(None, "unsupported machine")})
    assert [f.severity for f in of(check(refused), "machine")] == [REFUSE, REFUSE]


def test_a_missing_emulator(facts: Facts) -> None:
    gone = replace(facts, emulator_missing="/usr/bin/qemu-system-x86_64")
    assert the(gone, "emulator").severity is REFUSE


def test_a_bad_image_names_its_nodes_and_the_cure(facts: Facts) -> None:
    bad = replace(facts, images={"frr": ImageFact(GIB, ("it was changed",), "import it again")})
    finding = the(bad, "image")
    assert finding.severity is REFUSE
    assert finding.nodes == ("spine-1", "leaf-1", "host-1")
    assert finding.resolution == "import it again"


# --- collisions


def test_a_domain_of_the_same_name_that_isnt_ours(facts: Facts) -> None:
    for other in (domain("sample.leaf-1"), domain("sample.leaf-1", lab="another")):
        finding = the(replace(facts, domains=(other,)), "domains")
        assert (finding.severity, finding.nodes) == (REFUSE, ("leaf-1",))
    own = domain("sample.leaf-1", lab="sample", uuid=str(domain_uuid("sample", "leaf-1")))
    assert the(replace(facts, domains=(own,)), "domains").severity is OK


def test_a_uuid_somebody_else_has(facts: Facts) -> None:
    other = domain("thing", uuid=str(domain_uuid("sample", "spine-1")))
    finding = the(replace(facts, domains=(other,)), "domains")
    assert (finding.severity, finding.nodes) == (REFUSE, ("spine-1",))


def test_a_lab_of_this_name_made_in_another_folder(facts: Facts) -> None:
    here = domain(
        "sample.leaf-1", lab="sample", disks=("/srv/labctl/labs/sample/nodes/leaf-1/disk.qcow2",)
    )
    assert the(replace(facts, domains=(here,)), "domains").severity is OK
    there = replace(here, disks=("/home/bob/labs/sample/nodes/leaf-1/disk.qcow2",))
    finding = the(replace(facts, domains=(there,)), "domains")
    assert finding.severity is REFUSE
    assert "/home/bob" in finding.message


def test_a_mac_somebody_else_has(facts: Facts) -> None:
    mac = mac_address("sample", "leaf-1", 2)
    finding = the(replace(facts, domains=(domain(macs=("52:54:00:00:00:01", mac)),)), "macs")
    assert finding.severity is REFUSE
    assert mac in finding.message
    own = domain("sample.leaf-1", lab="sample", macs=(mac,))
    assert the(replace(facts, domains=(own,)), "macs").severity is OK


def test_udp_ports_of_other_labs_and_programs(facts: Facts) -> None:
    first, second, *_ = ports().values()
    other = domain(lab="other", ports=(first,), state=DomainState.SHUT_OFF)
    finding = the(replace(facts, domains=(other,), udp_in_use=frozenset({second})), "udp ports")
    assert finding.severity is REFUSE
    assert finding.evidence["ports"] == sorted((first, second))
    assert "by domain other.leaf-1" in finding.message
    assert "by another program" in finding.message


def test_its_own_running_machines_ports_are_free(facts: Facts) -> None:
    taken = tuple(ports().values())
    own = domain("sample.leaf-1", lab="sample", ports=taken)
    up = replace(facts, domains=(own,), udp_in_use=frozenset(taken))
    assert the(up, "udp ports").severity is OK


def network(**changes: object) -> ObservedNetwork:
    plain = ObservedNetwork("default", "u", True, "virbr0", ("192.168.122.0/24",), None)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (network(name="labctl-sample"), "the name labctl-sample"),
        (network(bridge=bridge_name("sample")), f"the bridge {bridge_name('sample')}"),
        (network(subnets=("10.0.0.0/24", "198.18.0.0/16")), "overlaps 198.18.0.0/16"),
        (network(subnets=(str(SUBNET),), active=False, lab="other"), "overlaps"),
    ],
)
def test_management_networks_that_clash(facts: Facts, other: ObservedNetwork, words: str) -> None:
    finding = the(replace(facts, networks=(network(), other)), "management")
    assert finding.severity is REFUSE
    assert words in finding.message


def test_the_labs_own_network_is_no_clash(facts: Facts) -> None:
    bridge = bridge_name("sample")
    own = network(name="labctl-sample", bridge=bridge, subnets=(str(SUBNET),), lab="sample")
    six = network(subnets=("fd00::/64",))
    up = replace(facts, networks=(own, six), routes=(Route(SUBNET, bridge),))
    assert the(up, "management").severity is OK


def test_host_routes_that_clash(facts: Facts) -> None:
    default = Route(IPv4Network("0.0.0.0/0"), "eth0")
    beside = Route(IPv4Network("198.19.0.0/24"), "eth0")
    assert the(replace(facts, routes=(default, beside)), "management").severity is OK
    over = Route(IPv4Network("198.18.0.0/15"), "tun0")
    assert (
        "which the host reaches by tun0"
        in the(replace(facts, routes=(over,)), "management").message
    )
    left = Route(SUBNET, bridge_name("sample"))
    assert "that no network owns" in the(replace(facts, routes=(left,)), "management").message


def test_without_a_management_network_none_is_checked(facts: Facts) -> None:
    bare = replace(facts, intent=replace(facts.intent, management_subnet=None))
    assert of(check(bare), "management") == []
