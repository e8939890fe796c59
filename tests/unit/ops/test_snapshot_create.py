"""A snapshot of a lab is taken whole or not at all, and the lab runs on either way."""

from __future__ import annotations

import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from harness.faults import refuse
from harness.site import LAB, Site, pair
from labctl import atomic
from labctl.errors import HypervisorError, Interrupted, SnapshotError, UsageError
from labctl.hypervisor.api import DomainState
from labctl.model.paths import Home
from labctl.model.snapshot import Kind, Manifest
from labctl.ops.context import Interrupt
from labctl.ops.events import Notice
from labctl.ops.journal import Journal
from labctl.ops.snapshot_create import take
from labctl.ops.snapshot_recover import recover_snapshots
from labctl.ops.snapshots import Snapshots
from labctl.ops.target import existing

NODES = ("a", "b", "c")
RUNNING = dict.fromkeys((f"{LAB}.{node}" for node in NODES), DomainState.RUNNING)


@pytest.fixture
def lab(site: Site) -> Site:
    site.write(pair(*NODES))
    site.up()
    return site


def snapshots(site: Site) -> Snapshots:
    return Snapshots(site.home.lab(LAB))


def taken(site: Site, name: str = "one", *, memory: bool = True, **options: str) -> Manifest:
    with (
        existing(site.context, LAB) as target,
        Journal(site.home.lab(LAB).journal, "snapshot") as journal,
    ):
        return take(site.context, target, journal, name, memory=memory, **options)  # type: ignore[arg-type]


def test_all_nodes_are_in_it(lab: Site) -> None:
    manifest = taken(lab, description="before the change")
    assert manifest == snapshots(lab).get("one")
    assert manifest.complete
    assert manifest.with_memory
    assert [part.node for part in manifest.parts] == list(NODES)
    assert (manifest.kind, manifest.description) == (Kind.MANUAL, "before the change")
    assert lab.states == RUNNING
    folder = snapshots(lab).folder("one")
    kept = (folder / "topology.yaml").read_text()
    assert kept == lab.home.lab(LAB).topology.read_text()
    assert (folder / "a" / "memory").exists()


def test_all_is_on_the_disk_before_it_counts(lab: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(atomic, "_sync", synced.append)
    taken(lab)
    folder = snapshots(lab).folder("one")
    last = len(synced) - synced[::-1].index(folder / "manifest.json.part")
    before = set(synced[: last - 1])
    assert {folder / "a", folder / "a/memory", folder / "c/disk.qcow2"} <= before


def test_the_next_one_descends_from_it(lab: Site) -> None:
    assert taken(lab).parent == ""
    assert taken(lab, "two").parent == "one"
    assert snapshots(lab).current() == "two"


@pytest.mark.parametrize("stopped", [True, False])
def test_disks_alone(lab: Site, stopped: bool) -> None:
    if stopped:
        lab.down(force=True)
    manifest = taken(lab, memory=stopped)
    assert (manifest.complete, manifest.with_memory) == (True, False)
    assert set(lab.states.values()) == {DomainState.SHUT_OFF if stopped else DomainState.RUNNING}


@pytest.mark.parametrize("call", ["suspend", "save_memory", "definition", "resume"])
def test_what_fails_leaves_nothing(lab: Site, call: str) -> None:
    lab.fake.faults.at(call, refuse("no room"), call=2)
    with pytest.raises(HypervisorError, match="no room"):
        taken(lab)
    assert lab.states == RUNNING
    assert not snapshots(lab).folder("one").exists()
    assert snapshots(lab).current() == ""


def test_a_full_disk_is_told(lab: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(SnapshotError, match="No space left"):
        taken(lab)
    assert not snapshots(lab).folder("one").exists()


@pytest.mark.parametrize("call", [1, 2])
def test_an_interrupt_leaves_nothing(lab: Site, call: int) -> None:
    interrupt = Interrupt()
    lab.fake.faults.at("save_memory", interrupt.set, call=call)
    context = lab.context
    context.interrupt = interrupt
    with (
        existing(context, LAB) as target,
        Journal(lab.home.lab(LAB).journal, "snapshot") as journal,
        pytest.raises(Interrupted),
    ):
        take(context, target, journal, "one")
    assert lab.states == RUNNING
    assert snapshots(lab).names() == ()


def test_a_lost_connection_leaves_what_the_next_run_needs(lab: Site) -> None:
    lab.fake.faults.at("save_memory", refuse("gone"), call=1)
    # resumed neither at once nor by the first attempt to undo
    for number in range(1, 5):
        lab.fake.faults.at("resume", refuse("gone"), call=number)
    with pytest.raises(HypervisorError, match="gone"):
        taken(lab)
    assert DomainState.PAUSED in lab.states.values()
    left = snapshots(lab).get("one")
    assert (left.complete, left.running) == (False, NODES)

    recover_snapshots(lab.context, lab.fake, lab.home.lab(LAB))
    assert lab.states == RUNNING
    assert snapshots(lab).names() == ()
    told = [event.text for event in lab.events if isinstance(event, Notice)]
    assert told[-1].startswith("removed snapshot one, which an earlier run had not finished; ")


def test_recovery_leaves_whole_ones_and_who_was_paused(lab: Site) -> None:
    taken(lab)
    lab.fake.suspend(f"{LAB}.b")
    rest = snapshots(lab).folder("rest")
    rest.mkdir()
    recover_snapshots(lab.context, lab.fake, lab.home.lab(LAB))
    assert snapshots(lab).names() == ("one",)
    assert lab.states[f"{LAB}.b"] is DomainState.PAUSED
    assert not rest.exists()


def refused(lab: Site, *words: str) -> None:
    lab.fake.faults.at("suspend", refuse("paused too early"), call=0)
    with pytest.raises(SnapshotError) as caught:
        taken(lab, "refused")
    told = f"{caught.value.brief}\n{caught.value.details}"
    assert all(word in told for word in words), told
    assert not snapshots(lab).folder("refused").exists()


def test_a_name_is_taken_once(lab: Site) -> None:
    taken(lab)
    with pytest.raises(UsageError, match="has a snapshot 'one' already"):
        taken(lab)


def test_deep_chains_and_foreign_disks_are_refused_together(lab: Site, tmp_path: Path) -> None:
    overlay = lab.home.lab(LAB).node("a").overlay
    below = overlay.rename(tmp_path / "below.qcow2")
    command = [
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-F",
        "qcow2",
        "-b",
        str(below),
        str(overlay),
    ]
    subprocess.run(command, check=True)
    lab.home.lab(LAB).node("b").overlay.unlink()
    xml = lab.fake.xml(f"{LAB}.c")
    lab.fake.destroy(f"{LAB}.c")
    lab.fake.define(xml.replace("disk.qcow2", "other.qcow2"))
    refused(lab, "a: its disk stands on 2 layers", "b/disk.qcow2", "other.qcow2")


@pytest.mark.parametrize("state", [DomainState.SHUTTING_DOWN, DomainState.OTHER])
def test_what_is_between_two_states_is_refused(lab: Site, state: DomainState) -> None:
    lab.fake._domains[f"{LAB}.b"].state = state
    refused(lab, f"{LAB}.b is {state.value}: neither running, paused nor off")


def test_another_spelling_of_the_home_is_the_same(lab: Site, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(lab.home.folder)
    lab.home = Home(tmp_path / "link")
    assert taken(lab).complete


def test_a_full_house_is_told_with_numbers(lab: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(5 * 1024**2))
    refused(lab, "may need", "5 MiB are free")
