"""Archives and VMDKs from anywhere: the disk is taken, what is odd is refused unopened."""

from __future__ import annotations

import hashlib
import io
import os
import random
import tarfile
from pathlib import Path

import pytest

from harness.given import archive, made, overlay, qemu_img
from labctl.errors import ImageError
from labctl.images.admit import admit
from labctl.images.digest import raw_digest
from labctl.images.intake import Request
from labctl.images.ova import find_disk
from labctl.images.store import ImageStore
from labctl.model.image import Given


def test_the_disk_of_an_ova(store: ImageStore, raw: Path, tmp_path: Path) -> None:
    vmdk = made(raw, "vmdk", "-o", "subformat=streamOptimized").read_bytes()
    ovf = b'<References><File ovf:href="d.vmdk" ovf:size="%d"/></References>' % len(vmdk)
    file = archive(tmp_path / "a.ova", ("a.ovf", ovf), ("d.vmdk", vmdk))
    image = admit(store, Request(file, "a"))
    assert image.content == raw_digest(raw)
    assert image.given == Given("vmdk", len(vmdk), hashlib.sha256(vmdk).hexdigest())


def test_an_ova_of_two_disks_wants_to_be_told_which(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    vmdk = made(raw, "vmdk").read_bytes()
    file = archive(tmp_path / "a.ova", ("one.vmdk", vmdk), ("two.vmdk", b"KDMV" + vmdk[4:]))
    with pytest.raises(ImageError, match="2 disks") as caught:
        admit(store, Request(file, "a"))
    assert caught.value.details == "it has: one.vmdk, two.vmdk"
    assert admit(store, Request(file, "a", member="two.vmdk")).content == raw_digest(raw)
    with pytest.raises(ImageError, match="no member 'three'"):
        admit(store, Request(file, "a", member="three"))


def hostile_tar(path: Path, info: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as tar:
        data = b"" if info.type != tarfile.REGTYPE else bytes(info.size)
        tar.addfile(info, io.BytesIO(data) if data else None)
    return path


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("/etc/disk.vmdk", tarfile.REGTYPE, "points out"),
        ("../disk.vmdk", tarfile.REGTYPE, "points out"),
        ("a/../../disk.vmdk", tarfile.REGTYPE, "points out"),
        ("disk.vmdk", tarfile.SYMTYPE, "no plain file"),
        ("disk.vmdk", tarfile.LNKTYPE, "no plain file"),
        ("disk.vmdk", tarfile.CHRTYPE, "no plain file"),
    ],
)
def test_hostile_members_are_refused(
    store: ImageStore, tmp_path: Path, name: str, kind: bytes, words: str
) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    with pytest.raises(ImageError, match=words):
        admit(store, Request(hostile_tar(tmp_path / "a.ova", info), "a"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ova", "images"]


def test_sizes_that_lie_are_refused(store: ImageStore, raw: Path, tmp_path: Path) -> None:
    vmdk = made(raw, "vmdk").read_bytes()
    ovf = b'<File ovf:size="5" ovf:href="d.vmdk"/>'
    file = archive(tmp_path / "a.ova", ("a.ovf", ovf), ("d.vmdk", vmdk))
    with pytest.raises(ImageError, match=r"a\.ovf says 5"):
        admit(store, Request(file, "a"))
    file = archive(tmp_path / "b.ova", ("d.vmdk", vmdk))
    os.truncate(file, len(vmdk) // 2)
    with pytest.raises(ImageError, match="more than there are"):
        admit(store, Request(file, "b"))


def test_a_backing_file_out_of_an_archive_is_never_opened(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    top = overlay(tmp_path / "top.qcow2", made(raw, "qcow2"))
    file = archive(tmp_path / "a.ova", ("top.qcow2", top.read_bytes()))
    with pytest.raises(ImageError, match="stands on a backing file"):
        admit(store, Request(file, "a", flatten=True))


def test_a_vmdk_that_only_names_its_data_is_refused(store: ImageStore, raw: Path) -> None:
    """QEMU would read whatever file of the host the description names."""
    file = made(raw, "vmdk")
    data = bytearray(file.read_bytes())
    data[12:20] = bytes(8)  # the capacity
    file.write_bytes(data)
    with pytest.raises(ImageError, match="data is in other files"):
        admit(store, Request(file, "a"))


def test_a_vmdk_delta_is_refused(store: ImageStore, raw: Path, tmp_path: Path) -> None:
    delta = tmp_path / "delta.vmdk"
    qemu_img("create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", made(raw, "vmdk"), delta)
    with pytest.raises(ImageError, match="a delta that stands on"):
        admit(store, Request(delta, "a", flatten=True))


def test_no_mutated_archive_makes_a_traceback(raw: Path, tmp_path: Path) -> None:
    vmdk = made(raw, "vmdk", "-o", "subformat=streamOptimized").read_bytes()
    long = "d" * 150 + ".vmdk"  # told by a header of its own
    ovf = b'<File ovf:href="%s" ovf:size="%d"/>' % (long.encode(), len(vmdk))
    whole = archive(tmp_path / "a.ova", ("a.ovf", ovf), (long, vmdk)).read_bytes()
    headers = [place for place in range(0, 4096) if whole[place]]
    chance = random.Random(4)
    file = tmp_path / "b.ova"
    found = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.choice(headers)] = chance.randrange(256)
        file.write_bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])])
        try:
            member = find_disk(file)
        except ImageError:
            continue
        found += 1
        assert 0 <= member.offset <= member.offset + member.size <= file.stat().st_size
    assert 0 < found < 300
