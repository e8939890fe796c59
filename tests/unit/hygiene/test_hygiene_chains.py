"""Deep chains and others' snapshots, judged on plain data."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness import rot
from harness.cron import qemu, write
from labctl.hygiene.chains import pair_by_pair
from labctl.hygiene.checks import check
from labctl.hygiene.facts import ConnectionFact, DomainFact
from labctl.hypervisor.api import DomainState
from labctl.images.chain import depth
from labctl.images.digest import content_digest
from labctl.model.hygiene import Mend, MendKind, Severity
from labctl.model.inspection import InternalSnapshot

INSIDE = InternalSnapshot("1", "hid den", "1970-01-01T00:01:00+00:00", 5)
MERGE = Mend(MendKind.MERGE, "pair.a", "pair", "a", rot.URI)


def test_a_healthy_host_is_clean() -> None:
    report = check(rot.facts())
    assert report.clean
    assert report.findings == ()


@pytest.mark.parametrize(("above", "severity"), [(1, "warn"), (6, "warn"), (7, "bad")])
def test_a_node_on_more_than_its_golden_image(above: int, severity: str) -> None:
    (finding,) = rot.found(rot.facts([rot.node(above)]), "chain")
    assert finding.severity == severity
    assert finding.evidence["depth"] == above + 1
    assert finding.mend == MERGE._replace(layers=above)
    assert finding.command == (
        f"virsh -c {rot.URI} blockcommit pair.a vda --base {rot.OVERLAY} "
        "--active --pivot --delete --verbose"
    )


def test_layers_tell_their_age_and_growth() -> None:
    (finding,) = rot.found(rot.facts([rot.node(2)]), "chain")
    told = finding.evidence["layers"]
    assert isinstance(told, list)
    assert [each["mib_per_day"] for each in told] == [1.0, 0.5, 0.3, None]


def test_off_a_node_is_mended_by_labctl_and_a_stranger_by_qemu_img() -> None:
    off = rot.node(1, state=DomainState.SHUT_OFF)
    (finding,) = rot.found(rot.facts([off]), "chain")
    assert finding.command == "labctl hygiene --fix"
    files = rot.layers(8, Path("/vm/disk.qcow2"))
    stranger = rot.domain("win", disks=[rot.disk(files)], state=DomainState.SHUT_OFF)
    (finding,) = rot.found(rot.facts([rot.node(), stranger]), "chain")
    assert finding.command.startswith("qemu-img commit -b /vm/disk.qcow2 /vm/disk.8 && virsh")


def test_a_chain_that_qemu_dies_of_is_merged_pair_by_pair(tmp_path: Path) -> None:
    """The command is run as it is told."""
    base, *above = (tmp_path / f"disk.{number}" for number in range(4))
    qemu("qemu-img", "create", "-f", "qcow2", tmp_path / "golden", "1M")
    below = tmp_path / "golden"
    for number, layer in enumerate((base, *above), 1):
        qemu("qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", below, layer)
        write(layer, number)
        below = layer
    before = content_digest(above[-1], scratch=tmp_path / "scratch")
    command = pair_by_pair(str(above[-1]), base)
    subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=60)
    assert content_digest(base, scratch=tmp_path / "scratch") == before
    assert depth(base) == 1


@pytest.mark.parametrize(
    ("depth", "severities"), [(7, []), (8, [Severity.WARN]), (150, [Severity.BAD])]
)
def test_foreign_machines_may_be_deeper(depth: int, severities: list[Severity]) -> None:
    stranger = rot.domain("win", disks=[rot.disk(rot.layers(depth - 1, Path("/vm/disk.qcow2")))])
    found = rot.found(rot.facts([rot.node(), stranger]), "chain")
    assert [each.severity for each in found] == severities
    assert all(each.mend is None for each in found)


def test_a_chain_that_is_cut_is_told() -> None:
    broken = replace(rot.disk(rot.layers()[:1]), trouble="/gone: No such file or directory")
    (finding,) = rot.found(rot.facts([rot.node(disks=[broken])]), "chain")
    assert finding.severity is Severity.BAD
    assert "/gone" in finding.message


def test_snapshots_of_a_node_are_told_with_their_growth() -> None:
    layer = rot.OVERLAY.with_name("disk.1")
    taken = [rot.snapshot("cron-1", layer, days=2.0), rot.snapshot("mine", days=1.0)]
    (finding,) = rot.found(rot.facts([rot.node(1, snapshots=taken)]), "snapshots")
    assert finding.severity is Severity.WARN
    assert (finding.evidence["bytes"], finding.evidence["mib_per_day"]) == (1024**2, 0.5)
    assert f"virsh -c {rot.URI} snapshot-delete pair.a mine" in finding.command
    assert finding.mend == MERGE._replace(layers=1, snapshots=("cron-1",))


def test_internal_snapshots_alone_are_for_a_person_to_decide() -> None:
    (finding,) = rot.found(rot.facts([rot.node(snapshots=[rot.snapshot("s")])]), "snapshots")
    assert finding.mend is None


def test_snapshots_of_strangers_are_a_note() -> None:
    stranger = rot.domain("win", snapshots=[rot.snapshot("s")])
    assert check(rot.facts([rot.node(), stranger])).clean


def test_snapshots_that_libvirt_does_not_know_are_told() -> None:
    inside = (INSIDE._replace(name="known"), INSIDE)
    top, golden = rot.layers()
    node = rot.node(
        disks=[rot.disk([top._replace(internal=inside), golden])], snapshots=[rot.snapshot("known")]
    )
    found = [f for f in rot.found(rot.facts([node]), "snapshots") if "inside" in f.message]
    (finding,) = found
    assert finding.evidence["snapshots"] == [{"name": "hid den", "created": 60.0, "state": 5}]
    assert finding.command.startswith(f"qemu-img snapshot -d 'hid den' {rot.OVERLAY}")
    assert finding.mend is None


def test_snapshots_inside_a_golden_image_came_with_it() -> None:
    overlay, golden = rot.layers()
    inside = golden._replace(internal=(INSIDE,))
    node = rot.node(disks=[rot.disk([overlay, inside])])
    assert rot.found(rot.facts([node]), "snapshots") == []


def test_a_strangers_disk_that_may_not_be_read_is_a_note() -> None:
    disk = rot.disk([rot.layer(Path("/vm/x"), None)])
    closed = replace(disk, layers=(), trouble="/vm/x: Permission denied")
    stranger = rot.domain("win", disks=[closed])
    assert check(rot.facts([rot.node(), stranger])).clean


def test_a_merge_nobody_ended_is_told() -> None:
    node = rot.node(disks=[rot.disk(rot.layers(1), mirror=str(rot.OVERLAY))])
    (finding,) = rot.found(rot.facts([node]), "merge")
    assert finding.command == f"virsh -c {rot.URI} blockjob pair.a vda --abort"
    assert finding.mend == MERGE._replace(layers=1)


def apparmor(version: str, node: DomainFact, *, confined: bool = True) -> int:
    connection = ConnectionFact(rot.URI, libvirt_version=version, domains=(node,))
    return len(rot.found(rot.facts(connections=(connection,), apparmor=confined), "apparmor"))


def test_apparmors_trap_is_told_where_it_waits() -> None:
    assert apparmor("9.0.0", rot.node(1)) == 1
    assert apparmor("12.1.0", rot.node(1)) == 0
    assert apparmor("9.0.0", rot.node(1), confined=False) == 0
    assert apparmor("9.0.0", rot.node(0)) == 0
    assert apparmor("9.0.0", rot.node(1, state=DomainState.SHUT_OFF)) == 0
