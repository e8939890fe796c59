"""Facts as they come from a hypervisor: few calls, nothing changed, the unknowable left out."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from harness.fake import FakeHypervisor
from harness.samples import ports, sample
from labctl.hypervisor.api import Hypervisor
from labctl.hypervisor.connect import connect
from labctl.images.store import ImageStore
from labctl.model.finding import Severity
from labctl.model.intent import Intent
from labctl.model.lab import Requirements
from labctl.model.paths import Home
from labctl.preflight.checks import check
from labctl.preflight.facts import Facts
from labctl.preflight.gather import gather
from labctl.topology.platforms import load_platforms


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    fake = FakeHypervisor()
    fake.offered = frozenset({"qemu"})
    return fake


def gathered(hypervisor: Hypervisor, home: Home, intent: Intent | None = None) -> Facts:
    return gather(
        hypervisor,
        home,
        intent=intent or sample(),
        platforms=load_platforms(),
        store=ImageStore(home.images),
        ports=ports(),
        host=hypervisor.host(),
        domains=hypervisor.domains(),
        networks=hypervisor.networks(),
    )


def test_each_thing_is_asked_once(hypervisor: FakeHypervisor, home: Home) -> None:
    facts = gathered(hypervisor, home)
    assert facts.virt_types == {"qemu"}
    assert facts.kvm is not None
    assert facts.kvm.reason == "libvirt offers no kvm on this host"
    assert set(facts.machines) == {"pc"}
    assert facts.lookups == (hypervisor.capabilities.lookup_seconds,)
    assert hypervisor.faults.calls["domain_capabilities"] == 1
    assert hypervisor.faults.calls["run_transient"] == 0


def test_a_slow_lookup_is_asked_again(hypervisor: FakeHypervisor, home: Home) -> None:
    hypervisor.capabilities = replace(hypervisor.capabilities, lookup_seconds=4.6)
    assert gathered(hypervisor, home).lookups == (4.6, 4.6)


def test_a_file_that_wants_no_kvm_runs_no_canary(hypervisor: FakeHypervisor, home: Home) -> None:
    hypervisor.offered = frozenset({"kvm", "qemu"})
    plain = sample()
    lab = replace(plain.lab, requirements=Requirements(kvm=False))
    assert gathered(hypervisor, home, replace(plain, lab=lab)).kvm is None
    assert hypervisor.faults.calls["run_transient"] == 0


def test_a_machine_libvirt_refuses_is_a_finding(hypervisor: FakeHypervisor, home: Home) -> None:
    hypervisor.capabilities = replace(hypervisor.capabilities, machines=frozenset({"q35"}))
    report = check(gathered(hypervisor, home))
    assert "machine" in {finding.check for finding in report.refusals}


def test_a_missing_image_and_how_to_get_it(hypervisor: FakeHypervisor, home: Home) -> None:
    (finding,) = (f for f in check(gathered(hypervisor, home)).findings if f.check == "image")
    assert finding.severity is Severity.REFUSE
    assert "lab/guests/frr/build" in finding.resolution


def test_nodes_with_an_overlay_are_made(hypervisor: FakeHypervisor, home: Home) -> None:
    overlay = home.lab("sample").node("leaf-1").overlay
    overlay.parent.mkdir(parents=True)
    overlay.touch()
    assert gathered(hypervisor, home).made == {"leaf-1"}


def test_nothing_local_is_claimed_of_a_remote_host(hypervisor: FakeHypervisor, home: Home) -> None:
    hypervisor.facts = replace(hypervisor.facts, is_local=False)
    facts = gathered(hypervisor, home)
    assert (facts.storage, facts.routes, facts.udp_in_use, facts.devices) == (None,) * 4


def test_the_test_driver_is_asked_for_no_qemu(home: Home) -> None:
    with closing(connect("test:///default")) as hypervisor:
        report = check(gathered(hypervisor, home))
    assert report.virt_type == "test"
    assert {finding.check for finding in report.refusals} == {"image"}
