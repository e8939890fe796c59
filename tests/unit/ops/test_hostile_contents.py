"""Archives whole as tar files, whose texts are made to harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.archives import (
    Data,
    Entry,
    Importer,
    file_entry,
    packed,
    relisted,
    replaced,
)
from harness.site import LAB
from labctl.images.chain import chain
from labctl.model.archive import LIST
from labctl.ops.import_lab import import_lab

DISK, MANIFEST = "snapshot/a/disk.qcow2", "snapshot/manifest.json"


CHANGES: list[Callable[[Data], object]] = [
    lambda data: data.update(format=2),
    lambda data: data.update(format="1"),
    lambda data: data.update(format=True),
    lambda data: data.pop("format"),
    lambda data: data.update(lab="../evil"),
    lambda data: data.update(lab="other"),
    lambda data: data.update(lab=7),
    lambda data: data.update(lab="\ud800"),
    lambda data: data.update(snapshot="../evil"),
    lambda data: data.update(snapshot="current"),
    lambda data: data.update(snapshot="other"),
    lambda data: data.update(snapshot=""),
    lambda data: data.update(created="\x1b[2J"),
    lambda data: data.update(created=[]),
    lambda data: data.update(more=1),
    lambda data: data.pop("qemu"),
    lambda data: data.update(archive_members=[]),
    lambda data: data.update(archive_members={}),
    lambda data: data.update(archive_members={"topology.yaml": None}),
    lambda data: data["members"].pop("topology.yaml"),
    lambda data: data["members"].pop(DISK),
    lambda data: data["members"][DISK].update(size="1"),
    lambda data: data["members"][DISK].update(size=1.5),
    lambda data: data["members"][DISK].update(size=10**30),
    lambda data: data["members"][DISK].update(sha256="0" * 63),
    lambda data: data["members"][DISK].update(sha256=None),
    lambda data: data["members"][DISK].update(more=1),
    lambda data: data["members"].update({DISK: []}),
    lambda data: data.update(images=[]),
    lambda data: data.update(images=data["images"] * 2),
    lambda data: data.update(images={}),
    lambda data: data["images"][0].update(name="../evil"),
    lambda data: data["images"][0].update(name="-o"),
    lambda data: data["images"][0].update(sha256="0" * 64),
    lambda data: data["images"][0].update(size=1),
    lambda data: data["images"][0].update(content={}),
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_a_list_with_other_things_in_it(
    archive_members: list[Entry], importer: Importer, number: int
) -> None:
    packed(relisted(archive_members, CHANGES[number]), importer.file)
    importer.refuses()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"\xff", b"1" * 5000, b"[" * 100_000, b'{"format": 1}']
)
def test_a_list_that_is_none(archive_members: list[Entry], importer: Importer, text: bytes) -> None:
    packed([file_entry(LIST, text), *archive_members[1:]], importer.file)
    importer.refuses()


def part(data: Data) -> Data:
    found: Data = data["parts"][0]
    return found


def part_size(data: Data) -> int:
    size: int = part(data)["files"]["memory"]["size"]
    return size


MANIFESTS: list[Callable[[Data], object]] = [
    lambda data: data.update(lab="other"),
    lambda data: data.update(name="other"),
    lambda data: data.update(complete=False),
    lambda data: data.update(complete="yes"),
    lambda data: data.update(parts=[]),
    lambda data: data.update(parts=data["parts"][:1]),
    lambda data: data.update(parts=data["parts"] * 2),
    lambda data: data.update(clock="now"),
    lambda data: data.update(clock=[]),
    lambda data: data.update(clock=float("nan")),
    lambda data: data.update(clock=float("inf")),
    lambda data: data.update(clock=-1.0),
    lambda data: data.update(clock=10**12),
    lambda data: data.update(halted=True),
    lambda data: data.update(description="\x1b[2J"),
    lambda data: data.update(description="\ud800"),
    lambda data: data.update(running=[{}]),
    lambda data: data.update(running="\x1b"),
    lambda data: data.update(kind="other"),
    lambda data: data.update(more=1),
    lambda data: part(data).update(node="../evil"),
    lambda data: part(data).update(node="c"),
    lambda data: part(data).update(node=[]),
    lambda data: part(data).update(domain="other.a"),
    lambda data: part(data).update(power="off"),
    lambda data: part(data).update(memory="256"),
    lambda data: part(data).update(memory=True),
    lambda data: part(data).update(memory=10**30),
    lambda data: part(data).update(machine="pc'/><evil a='"),
    lambda data: part(data).update(golden="0" * 64),
    lambda data: part(data).update(spec="short"),
    lambda data: part(data).update(files={}),
    lambda data: part(data)["files"].pop("disk.qcow2"),
    lambda data: part(data)["files"]["memory"].update(size=1),
    lambda data: part(data)["files"]["memory"].update(size=[]),
    lambda data: part(data)["files"]["memory"].update(size=float(part_size(data))),
    lambda data: part(data)["files"].update({"../evil": {"size": 1, "sha256": "0" * 64}}),
    lambda data: part(data)["files"].update({"evil": {"size": 1, "sha256": "0" * 64}}),
]


@pytest.mark.parametrize("number", range(len(MANIFESTS)))
def test_a_manifest_with_other_things_in_it(
    archive_members: list[Entry], importer: Importer, number: int
) -> None:
    (text,) = [data for info, data in archive_members if info.name == MANIFEST]
    data = json.loads(text)
    MANIFESTS[number](data)
    packed(replaced(archive_members, MANIFEST, json.dumps(data).encode()), importer.file)
    importer.refuses()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (MANIFEST, b"{"),
        (MANIFEST, b"[" * 100_000),
        (MANIFEST, b"\xff"),
        ("topology.yaml", b"lab: other\nnodes:\n  a: {role: host}\n  b: {role: host}\n"),
        ("topology.yaml", b"lab: pair\nnodes:\n  c: {role: host}\n"),
        ("topology.yaml", b"lab: pair\nnodes:\n  a: {role: host, config: {file: gone}}\n"),
        ("topology.yaml", b"\xff"),
        ("topology.yaml", b"{"),
        ("files.json", b"["),
        ("files.json", b"[]"),
        ("files.json", b'{"a": 1}'),
        ("files.json", b"[" * 100_000),
        (DISK, b"no qcow2"),
        (DISK, b"QFI\xfb" + bytes(200)),
    ],
)
def test_a_file_that_is_not_what_it_is_for(
    archive_members: list[Entry], importer: Importer, name: str, data: bytes
) -> None:
    changed = replaced(archive_members, name, data)
    if name.startswith("snapshot/a/"):
        changed = with_part_file(changed, name)
    packed(changed, importer.file)
    importer.refuses()


def with_part_file(archive_members: list[Entry], name: str) -> list[Entry]:
    """The manifest made to agree with a file that was replaced."""
    listed = json.loads(archive_members[0][1])["members"][name]
    (text,) = [data for info, data in archive_members if info.name == MANIFEST]
    data = json.loads(text)
    (own,) = [each for each in data["parts"] if each["node"] == "a"]
    own["files"][name.rpartition("/")[2]] = listed
    return replaced(archive_members, MANIFEST, json.dumps(data).encode())


@pytest.mark.parametrize(
    "xml",
    [
        b"<domain/>",
        b"no XML",
        b"\xff",
        b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><domain>&b;</domain>',
        b"<domain><metadata><mark xmlns='https://labctl.dev/xmlns/domain/1'/></metadata></domain>",
    ],
)
def test_a_definition_that_is_none_of_labctls(
    archive_members: list[Entry], importer: Importer, xml: bytes
) -> None:
    name = "snapshot/a/domain.xml"
    packed(with_part_file(replaced(archive_members, name, xml), name), importer.file)
    importer.refuses()


def test_a_disk_that_stands_on_the_hosts_files(
    archive_members: list[Entry], importer: Importer, tmp_path: Path
) -> None:
    """Whatever it names as its backing file, it gets the golden image instead."""
    (disk,) = [data for info, data in archive_members if info.name == DISK]
    offset = int.from_bytes(disk[8:16], "big")
    length = int.from_bytes(disk[16:20], "big")
    evil = b"/etc/passwd".ljust(length, b"/")[:length]
    disk = disk[:offset] + evil + disk[offset + length :]
    packed(with_part_file(replaced(archive_members, DISK, disk), DISK), importer.file)
    import_lab(importer.site.context, importer.file, verify=False)
    layers = chain(importer.site.home.lab(LAB).node("a").overlay)
    assert [layer.parent for layer in layers[1:]] == [importer.site.home.images]


def test_an_image_that_is_not_what_it_says(
    archive_members: list[Entry], importer: Importer
) -> None:
    """The name of a member is the digest its bytes must have."""
    (image,) = [info.name for info, _ in archive_members if info.name.startswith("images/")]
    packed(replaced(archive_members, image, b"other"), importer.file)
    importer.refuses("is not what its name says")
