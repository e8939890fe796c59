"""The canary really run: it sings in software emulation, so silence under KVM means KVM."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from labctl.hypervisor.api import Hypervisor
from labctl.hypervisor.connect import connect
from labctl.model.paths import Home
from labctl.preflight import canary, guest
from labctl.preflight.canary import NAME_PREFIX, prove_kvm

pytestmark = pytest.mark.libvirtd


@pytest.fixture
def hypervisor(libvirtd_uri: str) -> Iterator[Hypervisor]:
    with closing(connect(libvirtd_uri)) as connection:
        yield connection
        left = [d.name for d in connection.domains() if d.name.startswith(NAME_PREFIX)]
        for name in left:
            connection.destroy(name)
        assert left == []


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def canary_files(home: Home) -> list[Path]:
    return list((home.cache / "canary").iterdir())


def test_it_answers_and_leaves_nothing(hypervisor: Hypervisor, home: Home) -> None:
    verdict = prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu")
    assert verdict.usable, verdict.reason
    assert not verdict.cached
    assert canary_files(home) == []


def test_the_second_time_the_verdict_is_remembered(hypervisor: Hypervisor, home: Home) -> None:
    first = prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu")
    again = prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu")
    assert again == replace(first, cached=True)
    newer = replace(hypervisor.host(), hypervisor_version="99.0.0")
    assert not prove_kvm(hypervisor, home, newer, virt_type="qemu").cached


def test_on_another_host_it_is_heard_on_its_console(hypervisor: Hypervisor, home: Home) -> None:
    far = replace(hypervisor.host(), is_local=False)
    verdict = prove_kvm(hypervisor, home, far, virt_type="qemu")
    assert verdict.usable, verdict.reason


def test_one_left_by_a_killed_run_goes_first(hypervisor: Hypervisor, home: Home) -> None:
    prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu")
    (cached,) = home.cache.glob("kvm-*.json")
    cached.unlink()
    # what `prove_kvm` runs, without the end a killed run doesn't come to
    disk = home.cache / "canary/canary.img"
    disk.write_bytes(guest.boot_disk())
    xml = guest.domain_xml(canary.domain_name(home), "qemu", disk, disk.with_suffix(".log"))
    hypervisor.run_transient(xml)
    verdict = prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu")
    assert verdict.usable, verdict.reason
    assert canary_files(home) == []


def test_a_silent_guest_is_no_proof(
    hypervisor: Hypervisor, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(canary, "boot_disk", lambda: bytes(1 << 20))
    verdict = prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu")
    assert not verdict.usable
    assert "no answer within 1 s; it said nothing" in verdict.reason
    assert prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu").cached


def test_a_guest_that_dies_is_told_from_a_silent_one(
    hypervisor: Hypervisor, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # mov $0x604, %dx; mov $0x2000, %ax; out %ax, (%dx): power off
    code = bytes.fromhex("ba0406 b80020 ef f4")
    disk = code.ljust(510, b"\0") + b"\x55\xaa"
    monkeypatch.setattr(canary, "boot_disk", lambda: disk.ljust(1 << 20, b"\0"))
    verdict = prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu")
    assert not verdict.usable
    assert "its machine ended" in verdict.reason


def test_a_canary_that_cant_start_is_no_verdict_to_remember(
    hypervisor: Hypervisor, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        canary, "domain_xml", lambda *_: "<domain type='qemu'><name>x</name></domain>"
    )
    verdict = prove_kvm(hypervisor, home, hypervisor.host(), virt_type="qemu")
    assert not verdict.usable
    assert "could not be started" in verdict.reason
    assert not list(home.cache.glob("kvm-*.json"))


def test_without_kvm_nothing_is_run(hypervisor: Hypervisor, home: Home) -> None:
    verdict = prove_kvm(hypervisor, home, hypervisor.host())  # the daemon's KVM is hidden
    assert (verdict.usable, verdict.seconds) == (False, 0.0)
    assert verdict.reason == "libvirt offers no kvm on this host"


def test_the_probe_asks_qemu_alone() -> None:
    probe = guest.CANARY_FOLDER / "probe"
    done = subprocess.run([probe, "--accel", "tcg"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("yes: ")
    done = subprocess.run([probe], capture_output=True, text=True, check=False)
    assert done.returncode == (0 if done.stdout.startswith("yes: ") else 1)
    assert done.stderr == ""
