"""Hygiene over a whole site in memory, with real qcow2 files."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cron import qemu, snapshot, write
from harness.faults import refuse
from harness.site import LAB, Site, pair
from labctl.errors import HypervisorError
from labctl.hypervisor.api import DomainState, ObservedPool, ObservedSnapshot
from labctl.images.chain import depth
from labctl.images.digest import content_digest
from labctl.model.hygiene import Finding, HygieneReport, Mended, MendKind
from labctl.ops.hygiene import hygiene
from labctl.ops.journal import Journal
from labctl.ops.mend import mend_all
from labctl.ops.snapshot_create import take
from labctl.ops.snapshots import Snapshots
from labctl.ops.target import existing

A = f"{LAB}.a"


@pytest.fixture
def rotting(site: Site) -> Site:
    """A lab that is up, on this very host."""
    site.write(pair("a", "b"))
    site.up()
    site.fake.facts = replace(site.fake.facts, is_local=True)
    return site


def overlay(site: Site, node: str = "a") -> Path:
    return site.home.lab(LAB).node(node).overlay


def look(site: Site) -> HygieneReport:
    """All findings but of this machine's own room."""
    report = hygiene(site.context)
    return report._replace(findings=tuple(f for f in report.findings if f.check != "room"))


def fix(site: Site) -> tuple[Mended, ...]:
    return mend_all(site.context, look(site).mends)


def only(site: Site, check: str) -> Finding:
    (finding,) = [each for each in look(site).findings if each.check == check]
    return finding


def content(site: Site, top: Path) -> str:
    return content_digest(top, scratch=site.home.folder / "scratch")


def test_a_lab_as_labctl_made_it_is_clean(rotting: Site) -> None:
    assert look(rotting).findings == ()


def test_the_layers_of_a_machine_that_is_off_are_merged_on_a_copy(rotting: Site) -> None:
    rotting.down()
    golden = (rotting.home.images / "names/frr.json").read_text()
    write(overlay(rotting), 3)
    snapshot(rotting.fake, A, "x")
    top = snapshot(rotting.fake, A, "cron", metadata=False)
    before, mode = content(rotting, top), overlay(rotting).stat().st_mode
    assert depth(top) == 3
    (done,) = fix(rotting)
    assert done.error == ""
    assert "while it was off" in done.words
    assert content(rotting, overlay(rotting)) == before
    assert overlay(rotting).stat().st_mode == mode
    assert depth(overlay(rotting)) == 1
    assert rotting.domains[A].disks[0] == str(overlay(rotting))
    assert sorted(p.name for p in overlay(rotting).parent.iterdir()) == [
        "console.log",
        "day0.iso",
        "disk.qcow2",
        "started",
    ]
    assert look(rotting).findings == ()
    assert (rotting.home.images / "names/frr.json").read_text() == golden
    rotting.up()
    rotting.assert_whole("a", "b")


def test_the_layers_of_a_running_machine_are_merged_by_libvirt(rotting: Site) -> None:
    for name in ("x", "cron"):
        snapshot(rotting.fake, A, name)
    (done,) = fix(rotting)
    assert "2 layers merged while it ran, 2 snapshots forgotten" in done.words
    assert rotting.domains[A].state is DomainState.RUNNING
    assert look(rotting).findings == ()
    assert 'relabel="no"' in (rotting.fake.definition(A) or "")


def test_snapshots_inside_the_disk_and_saved_memory_are_never_dropped(rotting: Site) -> None:
    layer = snapshot(rotting.fake, A, "x", metadata=False)
    kept = [
        ObservedSnapshot("inside", 1, external=False, memory=True, parent=""),
        ObservedSnapshot("outside", 2, external=True, memory=True, parent="", files=(str(layer),)),
    ]
    rotting.fake.foreign[A] = list(kept)
    assert look(rotting).mends == ()
    assert "saved memory" in only(rotting, "chain").meaning
    assert rotting.fake.foreign[A] == kept


def test_a_merge_that_would_change_the_disk_changes_nothing(
    rotting: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotting.down()
    top = snapshot(rotting.fake, A, "x")
    before = content(rotting, top)
    digests = iter(("one", "another"))
    monkeypatch.setattr("labctl.ops.merge.content_digest", lambda *_, **__: next(digests))
    (done,) = fix(rotting)
    assert "would not show its guest the same disk" in done.error
    assert rotting.domains[A].disks[0] == str(top)
    assert content(rotting, top) == before
    assert not list(rotting.home.folder.rglob("*.part"))


def test_a_machine_that_is_started_meanwhile_keeps_its_layers(
    rotting: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotting.down()
    top = snapshot(rotting.fake, A, "x")
    original = overlay(rotting).read_bytes()
    from labctl.images import qemu_img

    commit = qemu_img.commit

    def starting(layer: Path) -> None:
        commit(layer)
        rotting.fake.start(A)

    monkeypatch.setattr("labctl.images.qemu_img.commit", starting)
    (done,) = fix(rotting)
    assert "was started meanwhile" in done.error
    assert rotting.domains[A].disks[0] == str(top)
    assert overlay(rotting).read_bytes() == original


def test_apparmors_refusal_says_what_to_do(rotting: Site) -> None:
    snapshot(rotting.fake, A, "x")
    rotting.fake.faults.at("block_commit", refuse("Could not open 'd': Permission denied"), call=1)
    (done,) = fix(rotting)
    assert "Permission denied" in done.error
    assert "labctl down pair --node a" in done.advice
    assert {f.check for f in look(rotting).findings} == {"chain", "snapshots"}
    assert fix(rotting)[0].error == ""


def test_layers_that_are_not_proved_merged_are_kept(rotting: Site) -> None:
    """The run was killed before the merge, and somebody took the layers off by hand."""
    left = overlay(rotting).with_name("disk.left")
    qemu("qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", overlay(rotting), left)
    record = {"layers": [str(left)], "snapshots": [], "merged": False}
    (left.parent / "merge.json").write_text(json.dumps(record))
    assert only(rotting, "merge").mend is not None
    fix(rotting)
    assert left.exists()
    assert only(rotting, "overlay").command == f"rm {left}"


def test_layers_proved_merged_go_but_not_what_others_stand_on(rotting: Site) -> None:
    """The run was killed after the merge."""
    merged, kept = (overlay(rotting).with_name(f"disk.{name}") for name in ("merged", "kept"))
    other = overlay(rotting).with_name("disk.other")
    for top, below in ((merged, overlay(rotting)), (kept, merged), (other, kept)):
        qemu("qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", below, top)
    record = {"layers": [str(kept), str(merged)], "snapshots": [], "merged": True}
    (merged.parent / "merge.json").write_text(json.dumps(record))
    fix(rotting)
    assert kept.exists()
    assert merged.exists()
    assert not (merged.parent / "merge.json").exists()
    other.unlink()
    (merged.parent / "merge.json").write_text(json.dumps(record))
    fix(rotting)
    assert not kept.exists()
    assert not merged.exists()


def test_half_written_files_and_stale_locks_go(rotting: Site) -> None:
    part = overlay(rotting).with_name("disk.qcow2.part")
    part.touch()
    lock = rotting.home.locks / "old.lock"
    lock.touch()
    (rotting.home.lab(LAB).nodes / "c").mkdir()
    fresh = rotting.home.images / "x.part"
    evidence = rotting.home.quarantine / "case/x.part"
    evidence.parent.mkdir(parents=True)
    for path in (fresh, evidence):
        path.touch()
    os.utime(evidence, (1, 1))
    kinds = {done.mend.kind for done in fix(rotting)}
    assert kinds == {MendKind.REMOVE_FILE, MendKind.REMOVE_LOCK, MendKind.REMOVE_FOLDER}
    assert not part.exists()
    assert not lock.exists()
    assert fresh.exists()
    assert evidence.exists()
    assert look(rotting).findings == ()


def test_a_lab_that_a_killed_up_left_is_not_touched(rotting: Site) -> None:
    snapshot(rotting.fake, A, "x")
    journal = rotting.home.lab(LAB).journal
    journal.write_text(
        '{"run": "begin", "operation": "up"}\n{"begin": 0, "step": "s", "node": "a"}\n'
    )
    (done,) = fix(rotting)
    assert "half-made" in done.error
    assert "labctl up pair" in done.advice
    assert only(rotting, "journal").command.startswith("labctl up pair")


def test_an_image_that_was_touched_is_read_again(rotting: Site) -> None:
    golden = next(rotting.home.images.glob("*.qcow2"))
    os.utime(golden, (1, 1))
    assert only(rotting, "golden").mend is not None
    assert fix(rotting)[0].error == ""
    assert look(rotting).findings == ()
    golden.chmod(0o644)
    assert "its mode is 644" in only(rotting, "golden").message


def test_a_damaged_image_stays_a_finding(rotting: Site) -> None:
    golden = next(rotting.home.images.glob("*.qcow2"))
    golden.chmod(0o644)
    golden.write_bytes(golden.read_bytes()[:-1] + b"x")
    golden.chmod(0o444)
    assert "damaged" in fix(rotting)[0].error
    assert not look(rotting).clean


def test_a_golden_image_as_a_disk_by_another_name(rotting: Site, tmp_path: Path) -> None:
    golden = next(rotting.home.images.glob("*.qcow2"))
    link = tmp_path / "link"
    link.symlink_to(golden)
    xml = (rotting.fake.definition(A) or "").replace(str(overlay(rotting)), str(link))
    rotting.fake.define(xml)
    rotting.fake.destroy(A)
    assert "at its next start" in only(rotting, "golden").message


def test_a_hypervisor_that_does_not_answer_keeps_no_other_back(rotting: Site) -> None:
    def connect(uri: str | None) -> object:
        if uri:
            raise HypervisorError(f"can't connect to libvirt at {uri}")
        return rotting.fake

    context = rotting.context
    context.connect = connect  # type: ignore[assignment]
    report = hygiene(context, ["qemu+ssh://h/system"])
    assert report.uris == ("fake:///", "qemu+ssh://h/system")
    assert "can't connect" in report.findings[0].message


def test_pools_and_file_systems_are_watched(rotting: Site) -> None:
    rotting.fake.storage = (ObservedPool("p", "/p", active=True, capacity=100, available=50),)
    hygiene(rotting.context)
    rooms = {f.subject for f in hygiene(rotting.context).findings if f.check == "room"}
    assert "pool p" in rooms
    lines = (rotting.home.cache / "usage.jsonl").read_text().splitlines()
    assert [json.loads(line)["available"]["pool p"] for line in lines] == [50, 50]


def test_a_lab_whose_domains_are_gone_and_its_half_made_snapshot(rotting: Site) -> None:
    folder = Snapshots(rotting.home.lab(LAB)).folder("s")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    assert only(rotting, "snapshot").subject == "pair/s"
    for name in list(rotting.domains):
        rotting.fake.destroy(name)
        rotting.fake.undefine(name)
    commands = {f.command for f in look(rotting).findings if f.check == "overlay"}
    assert commands == {"labctl destroy pair"}


def test_labctls_own_snapshots_are_clean_and_do_not_keep_layers_from_being_merged(
    rotting: Site,
) -> None:
    with (
        existing(rotting.context, LAB) as target,
        Journal(rotting.home.lab(LAB).journal, "snapshot") as journal,
    ):
        assert take(rotting.context, target, journal, "mine", memory=False).complete
    assert look(rotting).findings == ()
    snapshot(rotting.fake, A, "x")
    assert fix(rotting)[0].error == ""
    assert look(rotting).findings == ()
