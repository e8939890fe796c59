"""Nodes captured at one instant, whatever fails in between, and put back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.faults import refuse
from harness.site import LAB, Site, pair
from labctl.errors import HypervisorError, SnapshotError
from labctl.hypervisor.api import DomainState
from labctl.model.snapshot import Kind, Manifest, Part, Power
from labctl.ops.belongings import domains_of
from labctl.ops.capture import Halt, capture, running, together
from labctl.ops.reinstate import damage, kept_definition, place, revive

NODES = ("a", "b", "c")


@pytest.fixture
def lab(site: Site) -> Site:
    """Three machines: two run, one is off."""
    site.write(pair(*NODES))
    site.up()
    site.fake.destroy(f"{LAB}.c")
    return site


def captured(lab: Site, folder: Path, *, memory: bool = True) -> tuple[tuple[Part, ...], Halt]:
    domains = domains_of(LAB, lab.fake.domains())
    paths = lab.home.lab(LAB)
    return capture(lab.context, lab.fake, paths, domains, folder, memory=memory, cpus=2)


def states(lab: Site) -> list[DomainState]:
    return [lab.states[f"{LAB}.{node}"] for node in NODES]


BEFORE = [DomainState.RUNNING, DomainState.RUNNING, DomainState.SHUT_OFF]


def test_all_are_kept_and_run_on(lab: Site, tmp_path: Path) -> None:
    parts, halt = captured(lab, tmp_path / "kept")
    assert states(lab) == BEFORE
    assert [(part.node, part.power) for part in parts] == [
        ("a", Power.RUNNING),
        ("b", Power.RUNNING),
        ("c", Power.OFF),
    ]
    assert {"memory", "disk.qcow2", "domain.xml", "day0.iso"} <= set(parts[0].files)
    assert "memory" not in parts[2].files
    assert 0 <= halt.pause_skew <= halt.seconds
    assert all(part.golden and part.size for part in parts)


def test_all_are_halted_before_the_first_is_saved(lab: Site, tmp_path: Path) -> None:
    seen = []
    lab.fake.faults.at("save_memory", lambda: seen.append(states(lab)), call=0)
    captured(lab, tmp_path / "kept")
    assert seen == [[DomainState.PAUSED, DomainState.PAUSED, DomainState.SHUT_OFF]] * 2


def test_a_machine_that_was_paused_stays_so(lab: Site, tmp_path: Path) -> None:
    lab.fake.suspend(f"{LAB}.b")
    parts, _ = captured(lab, tmp_path / "kept")
    assert states(lab)[1] is DomainState.PAUSED
    assert parts[1].power is Power.PAUSED
    assert "memory" in parts[1].files


def test_disks_alone(lab: Site, tmp_path: Path) -> None:
    parts, _ = captured(lab, tmp_path / "kept", memory=False)
    assert {part.power for part in parts} == {Power.OFF}
    assert all("memory" not in part.files for part in parts)
    assert states(lab) == BEFORE


@pytest.mark.parametrize("call", ["suspend", "save_memory", "definition"])
def test_whatever_fails_the_lab_runs_on(lab: Site, tmp_path: Path, call: str) -> None:
    lab.fake.faults.at(call, refuse("no room"), call=2)
    with pytest.raises(HypervisorError, match="no room"):
        captured(lab, tmp_path / "kept")
    assert states(lab) == BEFORE


def test_the_instant_ends_for_all_even_if_one_resists(lab: Site) -> None:
    lab.fake.faults.at("suspend", refuse("busy"), call=1)
    done: list[float] = []
    with pytest.raises(HypervisorError, match="busy"):
        together([f"{LAB}.a", f"{LAB}.b"], lab.fake.suspend, done)
    assert len(done) == 1


def manifest_of(parts: tuple[Part, ...]) -> Manifest:
    return Manifest(
        lab=LAB, name="x", kind=Kind.MANUAL, description="", created="", clock=0.0, parent="",
        with_memory=True, labctl="0", qemu="", libvirt="", uri="", running=(), parts=parts,
    )  # fmt: skip


def test_a_lost_node_comes_back_as_it_was(lab: Site, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    parts, _ = captured(lab, folder)
    files = lab.home.lab(LAB).node("a")
    disk, xml = files.overlay.read_bytes(), lab.fake.xml(f"{LAB}.a")
    lab.fake.destroy(f"{LAB}.a")
    lab.fake.undefine(f"{LAB}.a")
    files.overlay.unlink()
    files.variables.write_bytes(b"of another machine")

    place(folder, parts[0], files)
    lab.fake.define(kept_definition(folder, parts[0]))
    assert revive(lab.fake, folder, parts[0], lab.fake.saved_xml(folder / "a/memory"))
    assert lab.states[f"{LAB}.a"] is DomainState.PAUSED
    lab.fake.resume(f"{LAB}.a")
    assert files.overlay.read_bytes() == disk
    assert not files.variables.exists()
    assert lab.fake.xml(f"{LAB}.a") == xml
    assert not revive(lab.fake, folder, parts[2], "")


def test_another_machine_is_not_revived(lab: Site, tmp_path: Path) -> None:
    parts, _ = captured(lab, tmp_path / "kept")
    lab.fake.destroy(f"{LAB}.a")
    other = lab.fake.xml(f"{LAB}.a").replace("<vcpu>1<", "<vcpu>2<")
    with pytest.raises(SnapshotError, match="another one"):
        revive(lab.fake, tmp_path / "kept", parts[0], other)


def test_damage_is_named(lab: Site, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    parts, _ = captured(lab, folder)
    assert running(domains_of(LAB, lab.fake.domains())) == ("a", "b")
    assert [damage(folder, part) for part in parts] == [(), (), ()]
    (folder / "a/memory").write_bytes((folder / "a/memory").read_bytes()[:-1] + b"!")
    (folder / "b/disk.qcow2").write_bytes((folder / "b/disk.qcow2").read_bytes() + b"more")
    (folder / "c/day0.iso").unlink()
    changed, longer, gone = (line for part in parts for line in damage(folder, part))
    assert "memory was changed" in changed
    assert "bytes instead of" in longer
    assert "No such file" in gone
