"""Warm starts: a booted fabric is kept once it is proved, restored later, and never trusted."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.faults import die, refuse
from harness.site import LAB, Site, pair
from labctl.cli.main import main
from labctl.errors import UsageError
from labctl.hypervisor.api import CommandResult, DomainState
from labctl.ops.results import UpResult
from labctl.ops.verify import verify_until_healthy
from labctl.ops.warm_cache import LIMIT, Entry, WarmCache

NODES = ("a", "b")
CHANGED = pair("a", "b").replace("a: {role: host}", "a: {role: host, memory: 256 MiB}")


class Guest:
    """Answers as a Linux guest does; its clock is set by `date`, whose times are kept."""

    def __init__(self) -> None:
        self.dates: list[str] = []

    def __call__(self, domain: str, argv: tuple[str, ...], text: str) -> CommandResult:
        if argv[0] == "date":
            self.dates.append(domain)
            return CommandResult(0, "", "")
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        return CommandResult(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def warm(site: Site) -> Site:
    """The site as this host's own, with guests that answer, and a lab of two hosts written."""
    site.fake.facts = replace(site.fake.facts, is_local=True)
    site.fake.guest = Guest()
    site.write(pair(*NODES))
    return site


def up(site: Site, **options: Any) -> UpResult:
    result = site.up(verify=True, **options)
    assert result.verify is not None
    assert result.verify.healthy
    return result


def kept(site: Site) -> tuple[Entry, ...]:
    return WarmCache(site.home).entries(LAB)


def booted_and_destroyed(site: Site) -> Entry:
    """A lab that was up once and is gone; what was kept of it."""
    up(site)
    site.destroy()
    (entry,) = kept(site)
    return entry


def cold_nodes(result: UpResult) -> set[str]:
    return set(NODES) - set(result.warm.nodes if result.warm else ())


def test_a_proved_lab_is_kept_and_restored_instead_of_booted(warm: Site) -> None:
    first = up(warm)
    assert first.warm is None
    assert "kept for warm starts" in first.notes[0]
    before = {name: (it.uuid, it.macs) for name, it in warm.domains.items()}
    warm.destroy()
    second = up(warm)
    assert second.warm is not None
    assert second.warm.nodes == NODES
    assert second.warm.created == kept(warm)[0].manifest.created
    assert second.notes == ()
    assert {name: (it.uuid, it.macs) for name, it in warm.domains.items()} == before
    warm.assert_whole(*NODES)


def test_restored_guests_are_given_the_time(warm: Site) -> None:
    booted_and_destroyed(warm)
    guest = warm.fake.guest
    assert isinstance(guest, Guest)
    assert guest.dates == []
    up(warm)
    assert sorted(guest.dates) == [f"{LAB}.a", f"{LAB}.b"]


def test_nobody_else_may_read_what_is_kept(warm: Site) -> None:
    up(warm)
    (entry,) = kept(warm)
    paths = [entry.folder, *entry.folder.rglob("*")]
    assert {oct(path.stat().st_mode & 0o777) for path in paths if path.is_file()} == {"0o600"}
    assert WarmCache(warm.home).folder.stat().st_mode & 0o777 == 0o700


def test_other_host_ports_are_no_reason_to_boot(warm: Site) -> None:
    up(warm)
    (end,) = warm.domains[f"{LAB}.a"].udp
    warm.destroy()
    warm.fake.define(
        "<domain type='qemu'><name>thief</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><interface type='udp'>"
        f"<mac address='02:00:00:00:00:01'/><source address='127.0.0.1' port='9'><local "
        f"address='127.0.0.1' port='{end.local[1]}'/></source></interface></devices></domain>"
    )
    assert cold_nodes(up(warm)) == set()
    assert warm.domains[f"{LAB}.a"].udp[0].local != end.local


def test_a_changed_node_boots_beside_the_warm_one(warm: Site) -> None:
    booted_and_destroyed(warm)
    warm.write(CHANGED)
    result = up(warm)
    assert cold_nodes(result) == {"a"}
    assert len(kept(warm)) == 2
    warm.assert_whole(*NODES)


def test_rebuild_restores_the_nodes_asked_for(warm: Site) -> None:
    up(warm)
    result = warm.rebuild(nodes=["b"], verify=True)
    assert result.warm is not None
    assert result.warm.nodes == ("b",)
    assert [outcome.error for outcome in result.outcomes] == [None]
    warm.assert_whole(*NODES)


def test_cold_boots_all_and_keeps_the_state_anew(warm: Site) -> None:
    old = booted_and_destroyed(warm)
    result = up(warm, cold=True)
    assert result.warm is None
    (new,) = kept(warm)
    assert new.keys == old.keys
    assert new.manifest.clock > old.manifest.clock


@pytest.mark.parametrize("facts", [{"hypervisor_version": "8.0.0"}, {"libvirt_version": "10.0.0"}])
def test_another_version_boots(warm: Site, facts: dict[str, str]) -> None:
    booted_and_destroyed(warm)
    warm.fake.facts = replace(warm.fake.facts, **facts)  # type: ignore[arg-type]
    assert up(warm).warm is None


@pytest.mark.parametrize("options", [{"verify": False}, {"wait": False}, {"paused": True}])
def test_what_was_not_proved_is_not_kept(warm: Site, options: dict[str, bool]) -> None:
    warm.up(**options)
    assert kept(warm) == ()


def test_a_lab_with_nodes_that_lived_on_is_not_kept(warm: Site) -> None:
    up(warm, cold=True)
    WarmCache(warm.home).clear()
    assert warm.rebuild(nodes=["a"], verify=True).notes == ()
    assert kept(warm) == ()


def test_remote_labs_have_no_warm_starts(warm: Site) -> None:
    warm.fake.facts = replace(warm.fake.facts, is_local=False)
    assert up(warm).notes == ()
    assert kept(warm) == ()


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


def edit(folder: Path, **values: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


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

    def mute(domain: str, argv: tuple[str, ...], text: str) -> CommandResult:
        assert guest is not None
        return guest(domain, argv, text) if argv[0] == "date" else CommandResult(1, "", "ill")

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


def test_the_limit_evicts_what_was_not_used_for_longest(
    warm: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    booted_and_destroyed(warm)
    warm.write(CHANGED)
    up(warm)
    warm.destroy()
    assert len(kept(warm)) == 2
    old = kept(warm)[1]
    cache = WarmCache(warm.home)
    gone = cache.make_room(need=1, limit=cache.size(), lab=LAB)
    assert [entry.folder for entry in gone] == [old.folder]
    assert len(kept(warm)) == 1
    monkeypatch.setenv(LIMIT, "1 MiB")
    warm.write(pair(*NODES))
    assert "the cache may have 1 MiB" in up(warm).notes[0]


def test_zero_switches_it_off_and_nonsense_is_refused(
    warm: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "0")
    assert up(warm).notes == ()
    assert kept(warm) == ()
    monkeypatch.setenv(LIMIT, "much")
    with pytest.raises(UsageError):
        warm.rebuild()


def test_the_cache_is_listed_and_cleared_by_the_command_line(
    warm: Site, by_command_line: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    up(by_command_line)
    assert main(["cache", "list", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [(state["lab"], state["nodes"]) for state in data["states"]] == [(LAB, list(NODES))]
    assert 0 < data["bytes"] <= data["limit"]
    assert main(["cache", "list"]) == 0
    assert LAB in capsys.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert kept(warm) == ()
    assert main(["cache", "list"]) == 0
    assert "nothing is kept" in capsys.readouterr().out
