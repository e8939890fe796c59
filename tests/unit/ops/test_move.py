"""A lab exported on one host and imported on another, both in memory."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from harness.archives import entries, moved, reseal, snapshot
from harness.faults import refuse
from harness.killed import killed_at
from harness.site import LAB, Site, pair
from labctl.errors import (
    ExitCode,
    HypervisorError,
    ImageError,
    Interrupted,
    PreflightRefused,
    SnapshotError,
    UsageError,
)
from labctl.hypervisor.api import DomainState
from labctl.images.chain import chain
from labctl.images.store import ImageStore
from labctl.ops.export import export
from labctl.ops.import_lab import import_lab
from labctl.ops.restore import restore
from labctl.ops.snapshots import Snapshots
from labctl.ops.up import up

NODES = ("a", "b")


def assert_nothing(site: Site, but: tuple[str, ...] = ()) -> None:
    """No trace of the lab, nor of the import."""
    site.assert_gone()
    assert not site.home.imports.exists()
    assert {image.name for image in ImageStore(site.home.images).list()} == {"frr", *but}


def test_a_snapshot_goes_on(here: Site, there: Site, archive_file: Path) -> None:
    here.fake.suspend(f"{LAB}.b")
    snapshot(here.context, here.fake, LAB, "half")
    export(here.context, LAB, archive_file, snapshot="half")
    result = import_lab(there.context, archive_file, verify=False)
    assert (result.lab, result.snapshot, result.with_memory, result.up) == (LAB, "half", True, None)
    assert there.states == {f"{LAB}.a": DomainState.RUNNING, f"{LAB}.b": DomainState.PAUSED}
    there.fake.resume(f"{LAB}.b")
    there.assert_whole(*NODES)


def test_names_uuids_and_macs_are_the_same(here: Site, there: Site, archive_file: Path) -> None:
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    for name, domain in here.domains.items():
        other = there.domains[name]
        assert (other.uuid, other.macs) == (domain.uuid, domain.macs)
        assert other.disks != domain.disks
        assert all(str(there.home.folder) in disk for disk in other.disks)


def test_disks_stand_on_the_image_there(here: Site, there: Site, archive_file: Path) -> None:
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    golden = ImageStore(there.home.images).get("frr").path
    for node in NODES:
        assert chain(there.home.lab(LAB).node(node).overlay)[1:] == (golden,)


def test_it_can_be_restored_there_again(here: Site, there: Site, archive_file: Path) -> None:
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    there.fake.destroy(f"{LAB}.a")
    assert restore(there.context, LAB, "moved", safety=False).running == NODES
    assert Snapshots(there.home.lab(LAB)).current() == "moved"


def test_what_the_memory_says_of_its_machine_is_not_run(
    here: Site, there: Site, archive_file: Path
) -> None:
    """Its XML could name any program or file; now, and whenever it is restored."""
    for part in Snapshots(here.home.lab(LAB)).get("moved").parts:
        memory = Snapshots(here.home.lab(LAB)).folder("moved") / part.node / "memory"
        text = memory.read_text().replace(str(here.home.folder), str(there.home.folder))
        memory.write_text(text.replace("<devices>", "<devices><emulator>/evil</emulator>"))
    reseal(here)
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    restore(there.context, LAB, "moved", safety=False)
    assert not [name for name in there.states if "/evil" in there.fake.xml(name)]


def test_disks_alone_boot(here: Site, there: Site, archive_file: Path) -> None:
    snapshot(here.context, here.fake, LAB, "disks", memory=False)
    assert not export(here.context, LAB, archive_file, snapshot="disks").with_memory
    result = import_lab(there.context, archive_file, verify=False)
    assert result.up is not None
    assert sorted(there.guests.started) == [*NODES]
    there.assert_whole(*NODES)


def test_the_topology_alone_is_built_anew(here: Site, there: Site, archive_file: Path) -> None:
    export(here.context, LAB, archive_file)
    assert not [info.name for info, _ in entries(archive_file) if info.name.startswith("snapshot/")]
    assert import_lab(there.context, archive_file, verify=False).up is not None
    there.assert_whole(*NODES)


def test_without_start_it_is_off(here: Site, there: Site, archive_file: Path) -> None:
    moved(here, archive_file)
    result = import_lab(there.context, archive_file, start=False)
    assert (result.started, result.up, there.states) == (False, None, {})
    assert restore(there.context, LAB, "moved").running == NODES
    there.assert_whole(*NODES)


def test_without_start_or_snapshot_it_can_be_built(
    here: Site, there: Site, archive_file: Path
) -> None:
    export(here.context, LAB, archive_file)
    import_lab(there.context, archive_file, start=False)
    assert there.states == {}
    up(there.context, LAB, verify=False)
    there.assert_whole(*NODES)


def test_the_topology_is_that_of_the_snapshot(here: Site, there: Site, archive_file: Path) -> None:
    here.write(pair("a", "b", "c"))
    here.up()
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    assert set(there.states) == {f"{LAB}.a", f"{LAB}.b"}
    assert up(there.context, LAB, verify=False).plan.empty


def forget_images(site: Site) -> str:
    (image,) = ImageStore(site.home.images).list()
    shutil.rmtree(site.home.images)
    return image.sha256


def test_images_come_along_if_asked(here: Site, there: Site, archive_file: Path) -> None:
    digest = forget_images(there)
    assert moved(here, archive_file, with_images=True).inside
    assert import_lab(there.context, archive_file, verify=False).images == ("frr",)
    assert ImageStore(there.home.images).get("frr").sha256 == digest
    there.assert_whole(*NODES)


def test_a_missing_image_is_named_with_its_digest(
    here: Site, there: Site, archive_file: Path
) -> None:
    digest = forget_images(there)
    moved(here, archive_file)
    with pytest.raises(ImageError, match="not in the store") as caught:
        import_lab(there.context, archive_file, verify=False)
    assert f"frr, SHA-256 {digest}" in caught.value.details
    assert caught.value.exit_code == ExitCode.IMAGE
    there.assert_gone()


def test_an_image_of_another_name_gets_this_one_too(
    here: Site, there: Site, archive_file: Path
) -> None:
    image = ImageStore(there.home.images).get("frr")
    ImageStore(there.home.images).add(image.path, "known")
    (there.home.images / "names/frr.json").unlink()
    moved(here, archive_file)
    assert import_lab(there.context, archive_file, verify=False).images == ("frr",)
    there.assert_whole(*NODES)


def test_another_image_of_that_name_is_not_replaced(
    here: Site, there: Site, archive_file: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "other.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "2M"], check=True)
    other = ImageStore(there.home.images).add(disk, "frr")
    moved(here, archive_file, with_images=True)
    with pytest.raises(ImageError) as caught:
        import_lab(there.context, archive_file, verify=False)
    assert f"frr is SHA-256 {other.sha256} here" in caught.value.details
    assert ImageStore(there.home.images).get("frr") == other
    there.assert_gone()


def test_a_lab_that_is_here_is_not_touched(here: Site, archive_file: Path) -> None:
    moved(here, archive_file)
    before = here.files
    with pytest.raises(UsageError, match="here already") as caught:
        import_lab(here.context, archive_file, verify=False)
    assert f"labctl destroy {LAB}" in caught.value.resolution
    assert here.files == before
    here.assert_whole(*NODES)


def test_domains_of_that_name_without_a_folder_are_not_either(
    here: Site, there: Site, archive_file: Path
) -> None:
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    shutil.rmtree(there.home.lab(LAB).folder)
    with pytest.raises(UsageError, match="here already"):
        import_lab(there.context, archive_file, verify=False)
    assert set(there.states.values()) == {DomainState.RUNNING}


def test_another_machine_or_an_older_qemu_is_refused(
    here: Site, there: Site, archive_file: Path
) -> None:
    moved(here, archive_file)
    there.fake.facts = replace(there.fake.facts, hypervisor_version="6.0.0")
    with pytest.raises(SnapshotError, match="is older"):
        import_lab(there.context, archive_file, verify=False)
    assert_nothing(there)


def test_a_host_too_small_is_refused(here: Site, there: Site, archive_file: Path) -> None:
    moved(here, archive_file)
    there.fake.facts = replace(there.fake.facts, memory_total=300, memory_free=300)
    with pytest.raises(PreflightRefused):
        import_lab(there.context, archive_file, verify=False)
    assert_nothing(there)


@pytest.mark.parametrize("call", ["define", "restore_memory", "resume"])
def test_machines_that_resist_leave_it_off_and_told(
    here: Site, there: Site, archive_file: Path, call: str
) -> None:
    moved(here, archive_file)
    there.fake.faults.at(call, refuse("no room"), call=2)
    with pytest.raises((SnapshotError, HypervisorError), match="no room") as caught:
        import_lab(there.context, archive_file, verify=False)
    assert "the lab is off" in caught.value.resolution
    assert DomainState.RUNNING not in there.states.values()
    assert not there.home.imports.exists()
    there.destroy()
    assert_nothing(there)


def test_a_configuration_of_another_labctl_is_kept_and_told(
    here: Site, there: Site, archive_file: Path
) -> None:
    folder = Snapshots(here.home.lab(LAB)).folder("moved")
    mark = here.domains[f"{LAB}.a"].metadata
    assert mark is not None
    config = mark.digests["config"]
    definition = folder / "a/domain.xml"
    definition.write_text(definition.read_text().replace(config, "7" * 64))
    reseal(here)
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    assert any("keeps its configuration" in getattr(event, "text", "") for event in there.events)
    (action,) = there.up().plan.actions
    assert (action.node, action.reason) == ("a", "day-0 configuration changed")


def test_an_interrupt_ends_it_with_nothing_left(
    here: Site, there: Site, archive_file: Path
) -> None:
    moved(here, archive_file)
    context = there.context
    context.interrupt.set()
    with pytest.raises(Interrupted):
        import_lab(context, archive_file, verify=False)
    assert_nothing(there)
    stopped = here.context
    stopped.interrupt.set()
    with pytest.raises(Interrupted):
        export(stopped, LAB, archive_file.with_name("other.tgz"), snapshot="moved")
    assert not list(archive_file.parent.glob("other*"))


def test_killed_anywhere_it_is_taken_on_or_gone(
    here: Site, archive_file: Path, tmp_path: Path
) -> None:
    """Nothing at all, or a lab that the next `up` brings to where it should be."""
    moved(here, archive_file)
    place, taken_on = 0, 0
    while True:
        place += 1
        folder = tmp_path / f"kill-{place}"
        folder.mkdir()
        site = Site(folder)
        site.file = here.file
        job = partial(import_lab, site.context, archive_file, verify=False)
        if not killed_at(site.fake, place, folder, job):
            break
        if site.home.lab(LAB).topology.exists():
            up(site.context, LAB, verify=False)
            taken_on += 1
        else:
            import_lab(site.context, archive_file, verify=False)
        site.assert_whole(*NODES)
        assert taken_on or not site.home.imports.exists()
    assert taken_on > 5
