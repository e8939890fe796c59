"""A golden image changed behind labctl's back: no lab is started on it, and its nodes are named."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from harness.site import LAB, Site, pair
from labctl.cli.main import main
from labctl.errors import ExitCode, ImageError
from labctl.hypervisor.api import DomainState
from labctl.images.disks import NodeDisk, standing_on
from labctl.images.store import ImageStore
from labctl.ops.integrity import verify_images
from labctl.ops.preflight import run as preflight
from labctl.ops.status import status
from labctl.plan.model import ActionKind
from labctl.preflight.facts import ImageFact
from labctl.preflight.golden import with_owners


@pytest.fixture
def duo(site: Site) -> Site:
    site.write(pair("a", "b"))
    site.up()
    return site


def golden(site: Site) -> Path:
    return ImageStore(site.home.images).get("frr").path


def flip(path: Path, *, mtime_back: bool = False) -> None:
    """Change one byte of the disk's content-bearing part, as rot or a careless hand would."""
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([byte ^ 1]))
    path.chmod(before.st_mode)
    if mtime_back:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_up_refuses_a_base_with_a_flipped_byte_and_names_the_nodes(duo: Site) -> None:
    duo.down()
    flip(golden(duo))
    with pytest.raises(ImageError) as caught:
        duo.up()
    assert caught.value.exit_code is ExitCode.IMAGE
    assert "nodes on it: a, b" in caught.value.details
    for command in ("image quarantine frr", "image import FILE --name frr", f"rebuild {LAB}"):
        assert f"`labctl {command}`" in caught.value.resolution
    assert set(duo.states.values()) == {DomainState.SHUT_OFF}


def test_with_its_mtime_put_back_the_age_decides(duo: Site) -> None:
    duo.down()
    flip(golden(duo), mtime_back=True)
    duo.up()  # read a moment ago, and it looks untouched
    duo.down()
    duo.write(pair("a", "b", extra="host: {image_check_age: 0 days}\n"))
    with pytest.raises(ImageError, match="was changed"):
        duo.up()


def test_damage_once_found_is_not_forgotten(duo: Site) -> None:
    duo.down()
    flip(golden(duo), mtime_back=True)
    assert verify_images(duo.home)[0].problems
    with pytest.raises(ImageError, match="was changed"):
        duo.up()


def test_a_running_node_is_told_of_and_left_alone(duo: Site) -> None:
    duo.down(nodes=["b"])
    flip(golden(duo))
    with pytest.raises(ImageError) as caught:
        duo.up()
    assert "nodes on it: a (running, left alone), b" in caught.value.details
    assert duo.states[f"{LAB}.a"] is DomainState.RUNNING


def test_other_labs_on_it_are_named(duo: Site) -> None:
    other = duo.home.lab("other").node("x").overlay
    other.parent.mkdir(parents=True)
    other.write_bytes(duo.home.lab(LAB).node("a").overlay.read_bytes())
    flip(golden(duo))
    with pytest.raises(ImageError) as caught:
        duo.up()
    assert "of other labs: other/x" in caught.value.details
    assert standing_on(golden(duo), duo.home.labs) == (
        NodeDisk("other", "x"),
        NodeDisk(LAB, "a"),
        NodeDisk(LAB, "b"),
    )


def test_rebuild_on_a_good_copy_of_another_content_heals(duo: Site, tmp_path: Path) -> None:
    duo.down()
    flip(golden(duo))
    fresh = tmp_path / "fresh.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", fresh, "2M"], check=True)
    ImageStore(duo.home.images).add(fresh, "frr")
    result = duo.up()
    assert {(a.kind, a.node) for a in result.plan.actions} == {
        (ActionKind.REBUILD, "a"),
        (ActionKind.REBUILD, "b"),
    }


def disk_of_a(site: Site) -> Path:
    return site.home.lab(LAB).node("a").overlay


def rebase(overlay: Path, backing: Path) -> None:
    subprocess.run(
        ["qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", backing, overlay],
        check=True,
    )


def test_a_disk_on_a_replaced_missing_or_deeper_base_is_told_before_start(
    duo: Site, tmp_path: Path
) -> None:
    duo.down()
    good = golden(duo)
    small = tmp_path / "small.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", small, "512K"], check=True)
    rebase(disk_of_a(duo), small)
    with pytest.raises(ImageError, match="not the image it was made on"):
        duo.up()
    rebase(disk_of_a(duo), tmp_path / "gone.qcow2")
    with pytest.raises(ImageError, match="No such file"):
        duo.up()
    raw = tmp_path / "raw.img"
    raw.write_bytes(bytes(1 << 20))
    rebase(disk_of_a(duo), raw)
    with pytest.raises(ImageError, match="no qcow2 image"):
        duo.up()
    between = tmp_path / "between.qcow2"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", good, between], check=True
    )
    rebase(disk_of_a(duo), between)
    with pytest.raises(ImageError, match="2 layers instead of one") as caught:
        duo.up()
    assert "rebuild pair --node a" in caught.value.resolution
    assert duo.rebuild(nodes=["a"]).failed == ()


def test_of_a_running_node_a_deeper_disk_is_a_warning(duo: Site, tmp_path: Path) -> None:
    rebase(disk_of_a(duo), tmp_path / "gone.qcow2")
    report = preflight(duo.context, str(duo.file))
    (finding,) = [f for f in report.findings if f.check == "image of a disk"]
    assert (finding.severity.value, finding.nodes) == ("warn", ("a",))
    assert duo.up().plan.empty


def test_a_base_no_name_points_to_is_read_too(duo: Site, tmp_path: Path) -> None:
    old = golden(duo)
    fresh = tmp_path / "fresh.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", fresh, "2M"], check=True)
    store = ImageStore(duo.home.images)
    store.add(fresh, "frr")
    assert store.check(store.of_file(old)) == ()
    assert store.of_file(old).verified > "2000"
    flip(old)
    assert store.check(store.of_file(old))
    found = {one.image.name: one for one in verify_images(duo.home)}
    assert not found["frr"].problems
    (nameless,) = (one for name, one in found.items() if name != "frr")
    assert [disk.node for disk in nameless.nodes] == ["a", "b"]


def test_the_command_names_the_nodes_and_ends_with_5(
    by_command_line: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site = by_command_line
    site.write(pair("a", "b"))
    site.up()
    assert main(["image", "verify", "--all"]) == ExitCode.DONE
    flip(golden(site), mtime_back=True)
    capsys.readouterr()
    assert main(["image", "verify", "frr", "--json"]) == ExitCode.IMAGE
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert [(node["lab"], node["node"]) for node in image["nodes"]] == [(LAB, "a"), (LAB, "b")]
    assert main(["image", "verify"]) == ExitCode.IMAGE
    told = capsys.readouterr().out
    assert "stands on it: pair/a, pair/b" in told
    assert "labctl image quarantine frr" in told
    assert main(["image", "verify", "frr", "--all"]) == ExitCode.USAGE


def test_status_tells_of_a_golden_image_made_writable(duo: Site) -> None:
    golden(duo).chmod(0o644)
    (lab,) = status(duo.context, LAB)
    assert "writable" in lab.nodes[0].problems[0]


def test_a_mode_that_was_changed_needs_no_more_than_chmod(duo: Site) -> None:
    duo.down()
    golden(duo).chmod(0o644)
    with pytest.raises(ImageError, match="is writable") as caught:
        duo.up()
    assert caught.value.resolution == f"`chmod a-w {golden(duo)}`"


def test_a_golden_file_that_is_gone_needs_a_new_import(duo: Site) -> None:
    golden(duo).unlink()
    (found,) = verify_images(duo.home)
    assert [disk.node for disk in found.nodes] == ["a", "b"]
    assert "quarantine" not in found.resolution
    assert "image import FILE --name frr" in found.resolution


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_golden_file_of_qemus_own_user_is_told(site: Site) -> None:
    store = ImageStore(site.home.images)
    facts = {"frr": ImageFact(1 << 20)}
    assert with_owners(facts, store, (64055, 64055)) == facts
    os.chown(golden(site), 64055, 64055)
    told = with_owners(facts, store, (64055, 64055))["frr"]
    assert "belongs to QEMU's user (id 64055)" in told.problems[0]
    assert told.resolution.startswith("give it back: `chown ")
    assert with_owners(facts, store, None) == facts
