"""All findings at once, and whether the host can do it: KVM, machines, images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.nexus import intent
from harness.quiet_host import domain, of, quiet_host, requiring, the
from harness.samples import SUBNET
from labctl.model.finding import Severity
from labctl.model.lab import Requirements
from labctl.preflight.canary import KvmVerdict
from labctl.preflight.checks import check
from labctl.preflight.facts import Facts, ImageFact, MachineFact, Route, StorageFact

GIB = 1 << 30
REFUSE, WARN, NOTE, OK = Severity.REFUSE, Severity.WARN, Severity.NOTE, Severity.OK
FAILED = KvmVerdict(False, "the canary failed: no answer within 5 s", 5.0, False)


@pytest.fixture
def facts() -> Facts:
    return quiet_host()


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


@pytest.mark.parametrize(
    ("wanted", "kvm", "offered"), [(None, FAILED, {"qemu"}), (False, None, {"kvm", "qemu"})]
)
def test_a_nexus_without_kvm_is_warned_of(
    facts: Facts, wanted: bool | None, kvm: KvmVerdict | None, offered: set[str]
) -> None:
    asked = replace(
        facts,
        intent=intent("nxosv9k-7.0.3.I7.4", 1),
        kvm=kvm,
        virt_types=frozenset(offered),
    )
    finding = the(requiring(asked, Requirements(kvm=wanted)), "kvm")
    assert finding.severity is WARN
    assert "nxosv9k is hardly usable without KVM: GNS3" in finding.message
    assert finding.resolution == "run it on a host with KVM"
    assert finding.nodes == ("spine-1", "leaf-1")


def test_a_nexus_with_kvm_is_not(facts: Facts) -> None:
    asked = replace(facts, intent=intent("nxosv9k-7.0.3.I7.4", 1))
    assert the(asked, "kvm").severity is OK


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


def test_missing_qemu_img(facts: Facts) -> None:
    assert the(replace(facts, qemu_img_missing=True), "qemu-img").severity is REFUSE


def test_a_bad_image_names_its_nodes_and_the_cure(facts: Facts) -> None:
    bad = replace(facts, images={"frr": ImageFact(GIB, ("it was changed",), "import it again")})
    finding = the(bad, "image")
    assert finding.severity is REFUSE
    assert finding.nodes == ("spine-1", "leaf-1", "host-1")
    assert finding.resolution == "import it again"
