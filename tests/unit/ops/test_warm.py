"""Warm starts: a booted fabric is kept once it is proved, and restored later."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.site import LAB, Site, pair
from harness.warm import CHANGED, NODES, Guest, booted_and_destroyed, cold_nodes, kept, up
from labctl.cli.main import main
from labctl.errors import UsageError
from labctl.ops.warm_cache import LIMIT, WarmCache


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
    assert warm.rebuild(nodes=["a"], verify=True).notes == (
        "not kept for warm starts: b lived on from an earlier run",
    )
    assert kept(warm) == ()


def test_remote_labs_have_no_warm_starts(warm: Site) -> None:
    warm.fake.facts = replace(warm.fake.facts, is_local=False)
    assert up(warm).notes == ()
    assert kept(warm) == ()


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
