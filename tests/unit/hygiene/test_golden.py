"""Golden images that others write to, that changed, that nobody read."""

from __future__ import annotations

from dataclasses import replace

from harness import rot
from labctl.hygiene.checks import check
from labctl.hypervisor.api import DomainState
from labctl.model.hygiene import MendKind, Severity


def writer(state: DomainState = DomainState.RUNNING, *, readonly: bool = False) -> list[Severity]:
    disk = rot.disk(rot.layers()[1:])
    disk = replace(disk, disk=disk.disk._replace(readonly=readonly))
    stranger = rot.domain("win", disks=[disk], state=state)
    return [f.severity for f in rot.found(rot.facts([rot.node(), stranger]), "golden")]


def test_a_golden_image_as_somebodys_disk() -> None:
    assert writer() == [Severity.BAD]
    assert writer(DomainState.SHUT_OFF) == [Severity.WARN]
    assert writer(readonly=True) == []


def test_a_merge_into_a_golden_image() -> None:
    disk = rot.disk(rot.layers(), mirror=str(rot.GOLDEN))
    (finding,) = rot.found(rot.facts([rot.node(disks=[disk])]), "golden")
    assert finding.severity is Severity.BAD
    assert finding.command.startswith(f"virsh -c {rot.URI} destroy pair.a && ")


def test_a_changed_file_is_read_whole() -> None:
    (finding,) = rot.found(rot.facts(store=rot.store(changed=("it was written to",))), "golden")
    assert finding.severity is Severity.BAD
    assert finding.mend is not None
    assert finding.mend.kind is MendKind.VERIFY_IMAGE


def test_a_file_that_is_gone_is_not_read() -> None:
    gone = rot.store(changed=(f"{rot.GOLDEN}: No such file or directory",))
    (finding,) = rot.found(rot.facts(store=gone), "golden")
    assert finding.mend is None


def test_a_file_open_to_all() -> None:
    (finding,) = rot.found(rot.facts(store=rot.store(exposed=("its mode is 644",))), "golden")
    assert f"chmod 0444 {rot.GOLDEN}" in finding.command
    assert finding.mend is None


def test_an_image_nobody_read_for_long() -> None:
    (finding,) = rot.found(rot.facts(store=rot.store(verified_days=8.0)), "golden")
    assert (finding.severity, finding.command) == (Severity.WARN, "labctl image verify frr")
    assert rot.found(rot.facts(store=rot.store(verified_days=6.0)), "golden") == []


def test_an_image_found_damaged_is_to_be_put_aside() -> None:
    store = rot.store(verified_days=20000.0, damaged=True)
    (finding,) = rot.found(rot.facts(store=store), "golden")
    assert (finding.severity, finding.command) == (Severity.BAD, "labctl image quarantine frr")
    assert finding.message.startswith("found damaged")
    assert finding.mend is None


def test_files_without_a_name_are_told_with_their_size() -> None:
    stray = rot.HOME / "images/sha256-2.qcow2"
    store = replace(rot.store(), strays={stray: 3 * 1024**2, rot.GOLDEN: 1})
    free, used = rot.found(rot.facts(store=store), "store")
    assert (free.severity, free.command) == (Severity.NOTE, f"rm {stray}")
    assert "3.0 MiB" in free.message
    assert used.command == ""


def test_manifests_that_can_not_be_read() -> None:
    store = replace(rot.store(), trouble=("the manifest of image x can't be read",))
    assert not check(rot.facts(store=store)).clean
