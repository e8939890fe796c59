"""Chains, disks and definitions, read from real files and XML."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

from harness.cron import qemu
from labctl.hygiene import walk
from labctl.hygiene.definition import repointed
from labctl.hygiene.facts import Disk
from labctl.model.metadata import METADATA_NS

XML = f"""<domain><name>x</name>
<metadata><m:mark xmlns:m="{METADATA_NS}" lab="l"/></metadata><devices>
<disk><source file='/top' index='3'/>
<backingStore type='file'><source file='/overlay'/></backingStore>
<target dev='vda'/><mirror><source file='/below'/></mirror></disk>
<disk device='cdrom'><source file='/iso'/><target dev='sda'/><readonly/></disk>
<disk type='network'><source protocol='nbd' name='n'/><target dev='vdb'/></disk>
<disk type='block'><source dev='/dev/sdx'/><target dev='vdc'/></disk>
<disk device='cdrom'><target dev='sdb'/></disk>
</devices></domain>"""


def overlay(path: Path, backing: Path | str) -> Path:
    qemu("qemu-img", "create", "-u", "-f", "qcow2", "-F", "qcow2", "-b", backing, path, "1M")
    return path


def chain(top: Path) -> tuple[list[str], str]:
    found = walk.chain_of(Disk("vda", str(top), readonly=False))
    return [layer.path.name for layer in found.layers], found.trouble


def test_disks_of_a_domain() -> None:
    assert walk.disks_of(XML) == (
        Disk("vda", "/top", readonly=False, mirror="/below"),
        Disk("sda", "/iso", readonly=True),
        Disk("vdc", "/dev/sdx", readonly=False),
    )


def test_a_definition_is_pointed_back_and_keeps_its_mark() -> None:
    root = ElementTree.fromstring(repointed(XML, "vda", Path("/overlay"), Path("/golden")))
    disk = root.find("devices/disk")
    assert disk is not None
    source = disk.find("source")
    assert source is not None
    assert source.attrib == {"file": "/overlay"}
    below = disk.findall("backingStore/source")
    assert [each.get("file") for each in below] == ["/golden"]
    assert disk.find("backingStore/source/seclabel[@relabel='no']") is not None
    assert disk.find("backingStore/backingStore") is not None
    assert root.find(f"metadata/{{{METADATA_NS}}}mark") is not None
    assert len(root.findall("devices/disk")) == len(
        ElementTree.fromstring(XML).findall("devices/disk")
    )


def test_a_chain_ends_on_a_raw_file(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(512))
    top = overlay(tmp_path / "top", overlay(tmp_path / "middle", "raw"))
    assert chain(top) == (["top", "middle", "raw"], "")


def test_chains_that_end_nowhere_or_in_themselves(tmp_path: Path) -> None:
    top = overlay(tmp_path / "top", tmp_path / "gone")
    assert chain(top) == (["top"], f"{tmp_path}/gone: No such file or directory")
    one, two = tmp_path / "one", tmp_path / "two"
    overlay(one, two)
    overlay(two, one)
    names, trouble = chain(one)
    assert names == ["one", "two"]
    assert "stands on itself" in trouble


def test_a_device_is_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert chain(pipe) == (["pipe"], "")


def test_snapshots_inside_a_file(tmp_path: Path) -> None:
    image = tmp_path / "image"
    qemu("qemu-img", "create", "-f", "qcow2", image, "1M")
    assert walk.layer_of(image).internal == ()
    qemu("qemu-img", "snapshot", "-c", "mine", image)
    (inside,) = walk.layer_of(image).internal
    assert (inside.name, inside.vm_state_size) == ("mine", 0)
    assert inside.date > "2020"


def test_snapshots_of_a_damaged_file_are_counted(tmp_path: Path) -> None:
    image = tmp_path / "image"
    qemu("qemu-img", "create", "-f", "qcow2", image, "1M")
    raw = bytearray(image.read_bytes())
    raw[60:64] = (2**32 - 1).to_bytes(4, "big")  # nb_snapshots (docs/interop/qcow2.rst)
    image.write_bytes(raw)
    assert walk.layer_of(image).internal[0].name == "(unreadable)"
