"""Images leave the store only when nobody stands on them, and leave it in other forms whole."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.site import LAB, Site, pair
from labctl.errors import HypervisorError, ImageError, UsageError
from labctl.hypervisor.api import Hypervisor
from labctl.images.digest import content_digest
from labctl.images.disks import users
from labctl.images.overlay import create_overlay
from labctl.images.store import ImageStore
from labctl.model.esxi import esxi_needs
from labctl.model.image import Image
from labctl.ops.context import Context
from labctl.ops.events import Event, Notice, Progress
from labctl.ops.image_convert import Form, convert_image
from labctl.ops.image_import import import_image
from labctl.ops.image_remove import remove_image
from labctl.topology.platforms import load_platforms


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, timeout=60)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", path, "8M")
    subprocess.run(["qemu-io", "-c", "write -P 7 1M 1M", path], check=True, capture_output=True)
    return path


def store(site: Site) -> ImageStore:
    return ImageStore(site.home.images)


def imported(site: Site, disk: Path, name: str = "golden") -> Image:
    image, _ = import_image(site.context, disk, name)
    return image


def test_what_is_the_same_disk_is_told(site: Site, disk: Path, tmp_path: Path) -> None:
    imported(site, disk)
    _, related = import_image(site.context, disk, "second")
    assert (related.same_file, related.same_disk) == (("golden",), ())
    small = tmp_path / "small.qcow2"
    qemu_img("convert", "-O", "qcow2", "-c", disk, small)
    _, related = import_image(site.context, small, "third")
    assert (related.same_file, related.same_disk) == ((), ("golden", "second"))


def test_an_import_tells_how_far_it_is(site: Site, disk: Path) -> None:
    told: list[Event] = []
    import_image(Context(site.home, None, site.connect, emit=told.append), disk, "golden")
    last = {event.step: event for event in told if isinstance(event, Progress)}
    assert {"copy", "hash"} <= set(last)
    assert all(event.done == event.total for event in last.values())


def test_of_two_names_only_one_goes(site: Site, disk: Path) -> None:
    image = imported(site, disk)
    imported(site, disk, "second")
    removed = remove_image(site.context, "golden")
    assert (removed.freed, removed.other_names) == (0, ("second",))
    assert image.path.exists()
    assert remove_image(site.context, "second").freed == image.size
    assert not image.path.exists()
    with pytest.raises(ImageError, match="no image 'second'"):
        remove_image(site.context, "second")


def test_what_a_node_stands_on_stays(site: Site) -> None:
    site.write(pair("a", "b"))
    site.up(paused=True)
    image = store(site).get("frr")
    with pytest.raises(ImageError, match="frr is in use") as caught:
        remove_image(site.context, "frr")
    assert f"disk {LAB}/nodes/a/disk.qcow2" in caught.value.details
    assert f"domain {LAB}.b: " in caught.value.details
    assert store(site).get("frr") == image
    assert image.path.exists()


def test_a_name_that_a_lab_asks_for_stays(site: Site) -> None:
    site.write(pair("a", "b"))
    site.up(paused=True)
    image = store(site).get("frr")
    import_image(site.context, image.path, "second")
    broken = site.home.lab("broken").topology
    broken.parent.mkdir()
    broken.write_text("lab: [")
    with pytest.raises(ImageError, match=f"frr is named by the topology of {LAB}") as caught:
        remove_image(site.context, "frr")
    assert f"labctl destroy {LAB}" in caught.value.resolution
    assert store(site).get("frr") == image
    assert remove_image(site.context, "second").other_names == ("frr",)
    site.home.lab(LAB).topology.write_bytes(b"\xff")
    import_image(site.context, image.path, "second")
    assert remove_image(site.context, "frr").other_names == ("second",)


@pytest.mark.parametrize("place", ["lab/nodes/a/disk.qcow2", "lab/snapshots/s1/a.qcow2"])
def test_a_lab_without_domains_and_its_snapshots_count(
    site: Site, disk: Path, place: str, tmp_path: Path
) -> None:
    image = imported(site, disk)
    overlay = site.home.labs / place
    overlay.parent.mkdir(parents=True)
    middle = tmp_path / "between.qcow2"
    create_overlay(image.path, middle)
    create_overlay(middle, overlay)
    assert users(image.path, site.home.labs) == (overlay,)
    with pytest.raises(ImageError, match="in use"):
        remove_image(site.context, "golden")


def test_a_disk_of_a_lab_that_can_not_be_read_counts(site: Site, disk: Path) -> None:
    image = imported(site, disk)
    overlay = site.home.lab("lab").node("a").overlay
    overlay.parent.mkdir(parents=True)
    overlay.write_bytes(b"scribbled over")
    with pytest.raises(ImageError, match="in use"):
        remove_image(site.context, "golden")
    create_overlay(disk, overlay)
    assert users(image.path, site.home.labs) == ()


def test_a_foreign_domain_counts(site: Site, disk: Path, tmp_path: Path) -> None:
    image = imported(site, disk)
    overlay = tmp_path / "foreign.qcow2"
    create_overlay(image.path, overlay)
    site.fake.define(
        "<domain type='test'><name>foreign</name><memory unit='MiB'>64</memory>"
        "<os><type>hvm</type></os><devices><disk type='file' device='disk'>"
        f"<source file='{overlay}'/><target dev='vda'/></disk></devices></domain>"
    )
    with pytest.raises(ImageError, match="in use") as caught:
        remove_image(site.context, "golden")
    assert caught.value.details == f"domain foreign: {overlay}"
    overlay.unlink()
    assert remove_image(site.context, "golden").freed


def test_without_a_hypervisor_the_labs_decide(site: Site, disk: Path) -> None:
    imported(site, disk)
    told: list[Event] = []

    def gone(_uri: str | None) -> Hypervisor:
        raise HypervisorError("no libvirt here")

    assert remove_image(Context(site.home, None, gone, emit=told.append), "golden").freed
    assert [event.text for event in told if isinstance(event, Notice)] == [
        f"only the labs of {site.home.labs} were looked at: no libvirt here"
    ]


def test_a_lab_brought_up_meanwhile_keeps_its_image(
    site: Site, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = imported(site, disk)
    overlay = site.home.lab("lab").node("a").overlay
    overlay.parent.mkdir(parents=True)
    from labctl.images import admit

    forget = admit.forget

    def late(store: ImageStore, image: Image) -> None:
        create_overlay(image.path, overlay)
        forget(store, image)

    monkeypatch.setattr(admit, "forget", late)
    with pytest.raises(ImageError, match="in use"):
        remove_image(site.context, "golden")
    assert store(site).get("golden") == image
    assert image.path.exists()


def test_leftovers_of_killed_imports_go_too(site: Site, disk: Path) -> None:
    imported(site, disk)
    incoming = site.home.images / "incoming"
    (incoming / "image.part").write_bytes(b"half")
    remove_image(site.context, "golden")
    assert [path.name for path in incoming.iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("form", "magic"),
    [
        (Form("vmdk"), b"KDMV"),
        (Form("vmdk", "streamOptimized"), b"KDMV\x03"),  # ESXi takes version 3 alone
        (Form("qcow2", compress=True), b"QFI\xfb"),
        (Form("raw"), b"\0\0\0\0"),
    ],
)
def test_a_converted_image_is_the_same_disk(
    site: Site, disk: Path, tmp_path: Path, form: Form, magic: bytes
) -> None:
    image = imported(site, disk)
    done = convert_image(site.context, "golden", form, tmp_path / "out")
    assert done.file.read_bytes().startswith(magic)
    scratch = tmp_path / "scratch"
    assert content_digest(done.file, scratch=scratch, image_format=form.format) == image.content
    assert done.content == image.content
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out"]


def test_what_is_there_is_replaced_by_force_alone(site: Site, disk: Path, tmp_path: Path) -> None:
    imported(site, disk)
    out = tmp_path / "out"
    out.write_text("precious")
    with pytest.raises(UsageError, match="is there already"):
        convert_image(site.context, "golden", Form("vmdk"), out)
    assert out.read_text() == "precious"
    convert_image(site.context, "golden", Form("vmdk"), out, force=True)
    assert out.read_bytes()[:4] == b"KDMV"


def test_the_image_itself_is_never_replaced(site: Site, disk: Path) -> None:
    image = imported(site, disk)
    with pytest.raises(UsageError, match="is the image itself"):
        convert_image(site.context, "golden", Form("qcow2"), image.path, force=True)


def test_of_a_changed_image_nothing_appears(site: Site, disk: Path, tmp_path: Path) -> None:
    image = imported(site, disk)
    image.path.chmod(0o644)
    subprocess.run(
        ["qemu-io", "-c", "write -P 8 1M 512", image.path], check=True, capture_output=True
    )
    with pytest.raises(ImageError, match="not the same disk"):
        convert_image(site.context, "golden", Form("vmdk"), tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (Form("raw", "streamOptimized"), "no subformats"),
        (Form("raw", compress=True), "not compressed"),
        (Form("vmdk", "twoGbMaxExtentSparse"), "writes no"),
    ],
)
def test_forms_that_make_no_sense(
    site: Site, disk: Path, tmp_path: Path, form: Form, words: str
) -> None:
    imported(site, disk)
    with pytest.raises(UsageError, match=words):
        convert_image(site.context, "golden", form, tmp_path / "out")


def test_a_nexus_on_esxi(site: Site, disk: Path, tmp_path: Path) -> None:
    imported(site, disk, "nxosv9k-7.0.3.I7.4")
    done = convert_image(site.context, "nxosv9k-7.0.3.I7.4", Form("vmdk"), tmp_path / "a.vmdk")
    assert done.esxi
    assert (done.esxi.memory_floor, done.esxi.vcpus, done.esxi.hardware_version) == (8192, 2, 10)
    assert (done.esxi.firmware, done.esxi.disk) == (
        "EFI, secure boot off",
        "SATA (AHCI) controller",
    )
    assert "vmkfstools -i a.vmdk NEW.vmdk -d thin" in done.esxi.how
    stream = Form("vmdk", "streamOptimized")
    done = convert_image(site.context, "nxosv9k-7.0.3.I7.4", stream, tmp_path / "b.vmdk")
    assert done.esxi
    assert "ovftool" in done.esxi.how


def test_of_other_guests_on_esxi_nothing_is_claimed(site: Site, disk: Path, tmp_path: Path) -> None:
    imported(site, disk)
    assert convert_image(site.context, "golden", Form("vmdk"), tmp_path / "a").esxi is None
    assert esxi_needs(load_platforms()["frr"], "monolithicSparse", "a.vmdk") is None
