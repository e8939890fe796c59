"""A lab taken back to a snapshot: all nodes, as they were; and what is refused."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.moved_on import (
    NODES,
    NOW,
    OFF,
    RUNNING,
    assert_as_taken,
    cut,
    disk,
    folder,
    held,
    refused,
    snapshot,
    states,
    told,
)
from harness.site import LAB, Site, pair
from labctl.errors import UsageError
from labctl.hypervisor.api import CommandResult
from labctl.images.store import ImageStore
from labctl.model.snapshot import Kind
from labctl.ops.events import Notice
from labctl.ops.hygiene import hygiene
from labctl.ops.restore import restore
from labctl.ops.restoring import running_xml
from labctl.ops.snapshot_list import list_snapshots
from labctl.ops.snapshot_show import show
from labctl.ops.snapshots import Snapshots


@pytest.fixture
def lab(moved_on: Site) -> Site:
    return moved_on


def test_all_is_as_it_was(lab: Site) -> None:
    result = restore(lab.context, LAB, "base", safety=False)
    assert_as_taken(lab)
    assert (result.running, result.paused, result.off) == (("a",), ("b",), ("c",))
    assert (result.safety, result.late_clocks, result.removed) == ("", (), ())
    assert result.resume_skew == 0.0
    assert not list(lab.home.folder.rglob("*.part"))


def test_the_present_is_kept_and_can_be_gone_back_to(lab: Site) -> None:
    result = restore(lab.context, LAB, "base")
    assert result.safety.startswith("before-base-")
    assert f"labctl snapshot restore {LAB} {result.safety}" in told(lab)
    kept = Snapshots(lab.home.lab(LAB)).get(result.safety)
    assert (kept.kind, kept.complete) == (Kind.SAFETY, True)
    restore(lab.context, LAB, result.safety, safety=False)
    assert (states(lab), held(lab)) == ([RUNNING] * 3, NOW)


def test_going_back_and_forth_lets_no_name_grow(lab: Site) -> None:
    first = restore(lab.context, LAB, "base").safety
    second = restore(lab.context, LAB, first).safety
    third = restore(lab.context, LAB, second).safety
    shape = r"before-base-[0-9]{8}-[0-9]{6}(-[0-9]+)?"
    assert all(re.fullmatch(shape, name) for name in (first, second, third))
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("name", ["n" * 64, "before-" + "n" * 57, f"{'n' * 48}-20261126-093000"])
def test_a_long_name_gives_one_that_can_be_a_snapshot_s(lab: Site, name: str) -> None:
    snapshot(lab, name)
    for _ in range(2):
        result = restore(lab.context, LAB, name)
        assert len(result.safety) <= 64
        assert Snapshots(lab.home.lab(LAB)).get(result.safety).complete


def test_a_broken_present_is_no_obstacle(lab: Site) -> None:
    """One node's domain is gone, another's disk."""
    lab.fake.destroy(f"{LAB}.a")
    lab.fake.undefine(f"{LAB}.a")
    shutil.rmtree(lab.home.lab(LAB).node("a").folder)
    disk(lab, "b").unlink()
    lab.fake.remove_network(f"labctl-{LAB}")
    result = restore(lab.context, LAB, "base", lossy=True)
    assert_as_taken(lab)
    assert [network.name for network in lab.fake.networks()] == [f"labctl-{LAB}"]
    kept = Snapshots(lab.home.lab(LAB)).get(result.safety)
    assert [part.node for part in kept.parts] == ["c"]
    assert {event.node for event in lab.events if isinstance(event, Notice)} >= {"a", "b"}


def test_nodes_the_snapshot_lacks_go_and_come_back(lab: Site) -> None:
    lab.write(pair(*NODES, "d"))
    lab.up()
    result = restore(lab.context, LAB, "base")
    assert result.removed == ("d",)
    assert f"{LAB}.d" not in lab.states
    assert "d:" not in lab.home.lab(LAB).topology.read_text()
    restore(lab.context, LAB, result.safety, safety=False)
    assert lab.states[f"{LAB}.d"] is RUNNING
    assert "d:" in lab.home.lab(LAB).topology.read_text()


def test_pulled_cables_are_pulled_again(lab: Site) -> None:
    nic = lab.domains[f"{LAB}.a"].udp[0].mac
    lab.fake.set_link(f"{LAB}.a", nic, up=False)
    snapshot(lab, "pulled")
    lab.fake.set_link(f"{LAB}.a", nic, up=True)
    restore(lab.context, LAB, "pulled", safety=False)
    assert not lab.fake.link_is_up(f"{LAB}.a", nic)
    restore(lab.context, LAB, "base", safety=False)
    assert lab.fake.link_is_up(f"{LAB}.a", nic)


def test_a_machine_with_other_ports_by_now_runs_on_them(lab: Site) -> None:
    nic = lab.domains[f"{LAB}.a"].udp[0]
    saved = lab.fake.xml(f"{LAB}.a")
    lab.fake.set_link(f"{LAB}.a", nic.mac, up=False)
    pulled = lab.fake.xml(f"{LAB}.a")
    moved = saved.replace(f'port="{nic.local[1]}"', 'port="7"')
    assert moved != saved
    assert running_xml(pulled, saved) == pulled
    merged = running_xml(pulled, moved)
    assert 'port="7"' in merged
    assert 'state="down"' in merged


def test_disks_alone(lab: Site) -> None:
    snapshot(lab, "disks", memory=False)
    result = restore(lab.context, LAB, "disks", safety=False)
    assert result.off == NODES
    assert states(lab) == [OFF] * 3


def test_a_managed_save_of_somebody_is_not_loaded_later(lab: Site) -> None:
    """libvirt forgets it with the definition, which is therefore made anew."""
    calls = lab.fake.faults.calls
    before = calls["undefine"]
    restore(lab.context, LAB, "base", safety=False)
    assert calls["undefine"] - before == len(NODES)


def test_clocks_are_set_of_those_that_run(lab: Site) -> None:
    asked = []

    def guest(domain: str, argv: tuple[str, ...]) -> CommandResult:
        asked.append((domain, argv[0]))
        return CommandResult(0, "", "")

    lab.fake.guest = guest
    restore(lab.context, LAB, "base", safety=False)
    assert asked == [(f"{LAB}.a", "date")]


# What is refused, with nothing changed


def change(lab: Site) -> None:
    path = folder(lab) / "b" / "disk.qcow2"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def remove(lab: Site) -> None:
    (folder(lab) / "c" / "domain.xml").unlink()


def golden_changed(lab: Site) -> None:
    (image,) = ImageStore(lab.home.images).list()
    image.path.chmod(0o644)
    image.path.write_bytes(b"x" * image.size)


def golden_gone(lab: Site) -> None:
    (image,) = ImageStore(lab.home.images).list()
    image.path.unlink()
    (lab.home.images / "names" / "frr.json").unlink()


def newer_qemu(lab: Site) -> None:
    lab.fake.facts = replace(lab.fake.facts, hypervisor_version="6.2.0")


def other_machines(lab: Site) -> None:
    lab.fake.capabilities = replace(lab.fake.capabilities, machines=frozenset({"q35"}))


def other_type(lab: Site) -> None:
    lab.fake.offered = frozenset({"kvm"})


def little_memory(lab: Site) -> None:
    lab.fake.facts = replace(lab.fake.facts, memory_total=700)


def no_topology(lab: Site) -> None:
    (folder(lab) / "topology.yaml").write_text("lab: [")


def port_taken(lab: Site) -> None:
    mine = lab.fake.xml(f"{LAB}.a")
    uuid, name = lab.domains[f"{LAB}.a"].uuid, f"<name>{LAB}.a</name>"
    foreign = mine.replace(uuid, uuid[::-1]).replace(name, "<name>foreign</name>")
    lab.fake.define(foreign.replace(f'lab="{LAB}"', 'lab="other"'))


REFUSED: dict[str, tuple[Callable[[Site], None], str]] = {
    "memory cut": (cut, "has 9 bytes"),
    "disk changed": (change, "its SHA-256 is another one"),
    "definition gone": (remove, "No such file"),
    "golden image changed": (golden_changed, "was changed"),
    "golden image gone": (golden_gone, "not in the store any more"),
    "newer QEMU": (newer_qemu, "6.2.0 is older"),
    "machine not offered": (other_machines, "no machine"),
    "KVM gone": (other_type, "type qemu, this host has kvm"),
    "memory too small": (little_memory, "room for"),
    "no topology": (no_topology, "its topology is of no use"),
    "port taken": (port_taken, "is taken by domain foreign"),
}


@pytest.mark.parametrize(("spoil", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_changes_nothing(
    lab: Site, spoil: Callable[[Site], None], words: str
) -> None:
    spoil(lab)
    error = refused(lab)
    assert words in error.details
    assert "nothing was changed" in error.resolution


def test_known_damage_is_told_until_a_proof_passes(lab: Site) -> None:
    path = folder(lab) / "b" / "disk.qcow2"
    sound = path.read_bytes()
    change(lab)
    refused(lab)
    (listed,) = list_snapshots(lab.context, LAB).snapshots
    assert "found on 2" in listed.damage
    assert "its SHA-256 is another one" in listed.damage
    assert show(lab.context, LAB, "base").listed.damage == listed.damage
    (finding,) = [f for f in hygiene(lab.context).findings if f.check == "snapshot"]
    assert listed.damage in finding.message
    path.write_bytes(sound)
    restore(lab.context, LAB, "base", safety=False)
    assert list_snapshots(lab.context, LAB).snapshots[0].damage == ""


def test_all_problems_at_once(lab: Site) -> None:
    cut(lab)
    change(lab)
    golden_gone(lab)
    assert len(refused(lab).details.splitlines()) == 3


def test_an_older_qemu_s_memory_is_taken_with_a_note(lab: Site) -> None:
    lab.fake.facts = replace(lab.fake.facts, hypervisor_version="9.1.2")
    result = restore(lab.context, LAB, "base", safety=False)
    assert result.notes == ("its memory was saved by QEMU 7.2.0, here is 9.1.2",)


def test_an_incomplete_one_is_refused(lab: Site) -> None:
    snapshots = Snapshots(lab.home.lab(LAB))
    snapshots.write(snapshots.get("base")._replace(complete=False, running=()))
    with pytest.raises(UsageError):
        restore(lab.context, LAB, "base")  # what a killed run left is removed first
    assert (states(lab), held(lab)) == ([RUNNING] * 3, NOW)


def test_an_unknown_one_names_those_there_are(lab: Site) -> None:
    with pytest.raises(UsageError, match="no snapshot 'bose'") as caught:
        restore(lab.context, LAB, "bose")
    assert "base" in caught.value.details
