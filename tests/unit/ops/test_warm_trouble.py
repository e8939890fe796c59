"""What is kept for warm starts is never trusted, and a run that keeps it may be killed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.faults import die, refuse
from harness.site import LAB, Site
from harness.warm import NODES, booted_and_destroyed, cold_nodes, edit, kept, up
from labctl.errors import HypervisorError
from labctl.hypervisor.api import CommandResult, DomainState
from labctl.ops.verify import verify_until_healthy
from labctl.ops.warm_cache import WarmCache

DAMAGE: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "memory cut off": (lambda it: (it / "a/memory").write_bytes(b"Libvirt"), {"a"}),
    "a bit of the disk": (lambda it: flip(it / "b/disk.qcow2"), {"b"}),
    "a file less": (lambda it: (it / "a/disk.qcow2").unlink(), {"a"}),
    "a node less": (lambda it: shutil.rmtree(it / "b"), {"b"}),
    "no manifest": (lambda it: (it / "manifest.json").unlink(), {"a", "b"}),
    "garbage for a manifest": (lambda it: (it / "manifest.json").write_text("[]"), {"a", "b"}),
    "an unfinished manifest": (lambda it: edit(it, complete=False), {"a", "b"}),
    "another format": (lambda it: edit(it, format=99), {"a", "b"}),
    "another QEMU": (lambda it: edit(it, qemu="6.0.0"), {"a", "b"}),
    "no keys": (lambda it: (it / "keys.json").write_text("{}{"), {"a", "b"}),
    "a folder for keys": (lambda it: make_folder(it / "keys.json"), {"a", "b"}),
}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_damaged_is_dropped_and_booted_with_a_note(warm: Site, what: str) -> None:
    do, cold = DAMAGE[what]
    entry = booted_and_destroyed(warm)
    do(entry.folder)
    result = up(warm)
    assert cold_nodes(result) == cold
    assert any("boots cold" in note or "was dropped" in note for note in result.notes)
    (new,) = kept(warm)
    assert new.manifest.clock > entry.manifest.clock, "kept again in the place of the damaged one"
    warm.assert_whole(*NODES)


@pytest.mark.parametrize("call", [1, 2])
def test_what_libvirt_refuses_to_restore_boots(warm: Site, call: int) -> None:
    booted_and_destroyed(warm)
    warm.fake.faults.at("restore_memory", refuse("the CPU is another one"), call=call)
    result = up(warm)
    assert len(cold_nodes(result)) == 1
    assert any("the CPU is another one" in note for note in result.notes)
    warm.assert_whole(*NODES)


def test_machines_that_do_not_go_on_boot(warm: Site) -> None:
    booted_and_destroyed(warm)
    warm.fake.faults.at("resume", refuse(), call=1)
    assert cold_nodes(up(warm)) == set(NODES)
    warm.assert_whole(*NODES)


def test_a_state_that_turns_out_unhealthy_is_dropped(
    warm: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    booted_and_destroyed(warm)
    patient = verify_until_healthy.__kwdefaults__
    assert patient is not None
    monkeypatch.setitem(patient, "wait", 0.0)
    guest = warm.fake.guest

    def mute(domain: str, argv: tuple[str, ...]) -> CommandResult:
        assert guest is not None
        if argv[0] == "date":
            return guest(domain, argv)
        raise HypervisorError("ill")

    warm.fake.guest = mute
    result = warm.up(verify=True)
    assert result.warm is not None
    assert any("rebuild" in note for note in result.notes)
    assert kept(warm) == ()


def test_a_state_that_can_not_be_kept_is_no_failure(warm: Site) -> None:
    warm.fake.faults.at("save_memory", refuse("the disk is full"))
    result = up(warm)
    assert "not kept" in result.notes[0]
    assert "the disk is full" in result.notes[0]
    assert list(WarmCache(warm.home).folder.rglob("manifest.json")) == []
    warm.assert_whole(*NODES)


def test_the_next_run_resumes_what_a_killed_one_had_paused(warm: Site) -> None:
    up(warm)
    (entry,) = kept(warm)
    part = entry.folder.with_name(f"{entry.folder.name}.part")
    entry.folder.rename(part)  # what kill -9 leaves: a part, unfinished, and paused machines
    edit(part, complete=False, running=list(NODES))
    warm.fake.suspend(f"{LAB}.a")
    warm.down(nodes=["b"])
    assert warm.states[f"{LAB}.a"] is DomainState.RUNNING
    assert list(WarmCache(warm.home).folder.rglob("*.part")) == []


def test_destroy_leaves_nothing_half_kept(warm: Site) -> None:
    up(warm)
    (entry,) = kept(warm)
    part = entry.folder.with_name(f"{entry.folder.name}.part")
    entry.folder.rename(part)
    edit(part, complete=False, running=list(NODES))
    warm.destroy()
    assert list(WarmCache(warm.home).folder.iterdir()) == []


def test_a_node_whose_warm_start_was_cut_off_is_made_anew(warm: Site) -> None:
    booted_and_destroyed(warm)
    warm.fake.faults.at("resume", die(KeyboardInterrupt()), call=1)
    with pytest.raises(KeyboardInterrupt):
        up(warm)
    assert DomainState.PAUSED in warm.states.values()
    result = up(warm)
    assert {action.kind.value for action in result.plan.actions if action.node} == {"rebuild"}
    assert cold_nodes(result) == set()
    warm.assert_whole(*NODES)
