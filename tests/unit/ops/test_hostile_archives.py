"""Archives made to harm: refused with words, never a traceback, nothing written outside or left."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.archives import Data, Entry, booted, entries, file_entry, packed, relisted, replaced
from harness.archives import snapshot as take
from harness.site import LAB, Site
from labctl.errors import ExitCode, LabctlError, SnapshotError
from labctl.images.chain import chain
from labctl.model.archive import LIST
from labctl.ops.export import export
from labctl.ops.import_lab import import_lab
from labctl.ops.tarball import Reading

DISK, MANIFEST = "snapshot/a/disk.qcow2", "snapshot/manifest.json"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound archive, whose every corruption must be seen."""
    folder = tmp_path_factory.mktemp("here")
    site = booted(Site(folder))
    take(site.context, site.fake, LAB, "moved")
    export(site.context, LAB, folder / "lab.tgz", snapshot="moved", with_images=True)
    return folder / "lab.tgz"


@pytest.fixture
def members(good: Path) -> list[Entry]:
    return entries(good)


class Target:
    """Where it would go: a site in a folder that is watched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(folder / "site")
        self.file = folder / "bad.tgz"
        self.before = self.files()

    def files(self) -> dict[str, int]:
        """Every file and folder but the archive and locks' folder, with its size."""
        found = (path for path in self.folder.rglob("*") if path != self.file)
        return {str(path): path.lstat().st_size for path in found if path.is_file()}

    def refuses(self, match: str = "") -> SnapshotError:
        """The archive is refused, and nothing is there that wasn't."""
        with pytest.raises(SnapshotError) as caught:
            import_lab(self.site.context, self.file)
        assert match in caught.value.details
        assert caught.value.exit_code == ExitCode.SNAPSHOT
        self.is_clean()
        return caught.value

    def is_clean(self) -> None:
        assert self.files() == self.before
        assert self.site.fake.domains() == ()
        assert not self.site.home.imports.exists()
        assert not self.site.home.lab(LAB).folder.exists()


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "site").mkdir()
    return Target(tmp_path)


def renamed(members: list[Entry], old: str, new: str) -> list[Entry]:
    """A member under another name, in the list too."""
    found = [file_entry(new, data) if info.name == old else (info, data) for info, data in members]

    def rename(data: Data) -> None:
        data["members"][new] = data["members"].pop(old)

    first, *rest = relisted(found, rename)
    return [first, *sorted(rest, key=lambda entry: entry[0].name)]


def test_a_sound_one_made_by_hand_is_taken(members: list[Entry], target: Target) -> None:
    """So that what is refused below is refused for what was changed."""
    import_lab(target.site.context, packed(members, target.file))
    assert set(target.site.states) == {f"{LAB}.a", f"{LAB}.b"}


@pytest.mark.parametrize(
    "name",
    [
        "/etc/cron.d/evil",
        "../../evil",
        "snapshot/../../evil",
        "snapshot/a/../../../evil",
        "snapshot/./a",
        "snapshot//a",
        "snapshot/A/disk.qcow2",
        "snapshot/a.b/disk.qcow2",
        "snapshot/a/.hidden",
        "snapshot/a/deeper/file",
        "snapshot/a/evil\n",
        "snapshot/a/\udcff",
        "images/evil.qcow2",
        "elsewhere",
        "configs/../evil",
        "snapshot/a/" + "x" * 100,
        "",
    ],
)
def test_a_name_that_leads_elsewhere(members: list[Entry], target: Target, name: str) -> None:
    """Listed and there, or there alone."""
    listed = relisted(members, lambda data: data["members"].update({name: data["members"][DISK]}))
    packed(listed, target.file)
    target.refuses("no archive of a lab holds")
    info = tarfile.TarInfo(name)
    raw = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    tar = gzip.decompress(packed(members, target.file).read_bytes())
    target.file.write_bytes(gzip.compress(tar[: tar.index(b"configs/")] + raw + bytes(1024)))
    target.refuses()


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.DIRTYPE,
        tarfile.CONTTYPE,
        tarfile.GNUTYPE_SPARSE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        b"Z",
    ],
)
def test_what_is_no_plain_file(members: list[Entry], target: Target, kind: bytes) -> None:
    for info, _ in members:
        if info.name == DISK:
            info.type, info.linkname = kind, "/etc/passwd"
    packed(members, target.file)
    target.refuses(DISK)


def test_a_link_that_calls_itself_a_file(members: list[Entry], target: Target) -> None:
    for info, _ in members:
        if info.name == DISK:
            info.linkname = "/etc/passwd"
    packed(members, target.file)
    target.refuses("no plain file")


def test_a_member_twice(members: list[Entry], target: Target) -> None:
    place = [info.name for info, _ in members].index(DISK)
    packed([*members[:place], members[place], *members[place:]], target.file)
    target.refuses(DISK)


def test_a_member_that_is_not_listed(members: list[Entry], target: Target) -> None:
    packed([*members, file_entry("zzz", b"more")], target.file)
    target.refuses("does not end where its list does")
    packed([members[0], file_entry("aaa", b"more"), *members[1:]], target.file)
    target.refuses("'aaa' where")


def test_a_member_that_is_listed_and_not_there(members: list[Entry], target: Target) -> None:
    packed([entry for entry in members if entry[0].name != DISK], target.file)
    target.refuses(f"where {DISK} should be")
    packed(members[:-1], target.file)
    target.refuses()


def test_a_list_that_is_not_first(members: list[Entry], target: Target) -> None:
    packed(members[1:], target.file)
    target.refuses(f"where {LIST} should be")
    packed([members[1], members[0], *members[2:]], target.file)
    target.refuses(f"where {LIST} should be")


@pytest.mark.parametrize("size", [0, 1, 10**6, 2**40, -1, -512])
def test_a_size_that_lies(members: list[Entry], target: Target, size: int) -> None:
    """In the header, in the list, in both."""
    for info, _ in members:
        if info.name == DISK:
            info.size = size
    packed(members, target.file)
    target.refuses(DISK)
    both = relisted(members, lambda data: data["members"][DISK].update(size=size))
    packed(both, target.file)
    with pytest.raises(SnapshotError):
        import_lab(target.site.context, target.file)
    target.is_clean()


def test_a_list_of_a_huge_size(members: list[Entry], target: Target) -> None:
    for size in (2**40, -(2**40), 17 * 1024**2):
        members[0][0].size = size
        packed(members, target.file)
        target.refuses(f"a list of {size} bytes")


def test_a_bomb_is_left_at_its_listed_size(members: list[Entry], target: Target) -> None:
    """1 GiB of zeros in 1 MiB behind the disk's last byte."""
    place = [info.name for info, _ in members].index(DISK)
    head = io.BytesIO()
    for info, data in members[: place + 1]:
        head.write(info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512))
    with gzip.open(target.file, "wb", 9) as file:
        file.write(head.getvalue())
        for _ in range(256):
            file.write(bytes(2**22))
    target.refuses("no tar header")


def test_more_than_the_disk_has_room_for(
    members: list[Entry], target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by the list, before a byte is written."""

    def never(*_: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(Reading, "unpack", never)
    huge = relisted(members, lambda data: data["members"][DISK].update(size=2**50))
    packed(huge, target.file)
    with pytest.raises(SnapshotError, match="are free"):
        import_lab(target.site.context, target.file)
    target.is_clean()


@pytest.mark.parametrize("name", [DISK, MANIFEST, "topology.yaml", "configs/network.xml"])
def test_a_changed_byte(members: list[Entry], target: Target, name: str) -> None:
    changed = [(info, data[:-1] + b"!" if info.name == name else data) for info, data in members]
    packed(changed, target.file)
    target.refuses(f"{name} has another SHA-256")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_ends_too_early(good: Path, target: Target, share: float) -> None:
    whole = good.read_bytes()
    target.file.write_bytes(whole[: int(len(whole) * share)])
    target.refuses()


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing", bytes(10240), b"\x1f\x8b", gzip.compress(b""), gzip.compress(bytes(10240))],
)
def test_what_is_no_archive_at_all(target: Target, data: bytes) -> None:
    target.file.write_bytes(data)
    target.refuses()


def test_more_behind_the_end(good: Path, target: Target) -> None:
    target.file.write_bytes(good.read_bytes() + gzip.compress(b"more"))
    target.refuses("does not end")
    target.file.write_bytes(good.read_bytes() + b"more")
    target.refuses()


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
    lambda data: data.update(members=[]),
    lambda data: data.update(members={}),
    lambda data: data.update(members={"topology.yaml": None}),
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
def test_a_list_with_other_things_in_it(members: list[Entry], target: Target, number: int) -> None:
    packed(relisted(members, CHANGES[number]), target.file)
    target.refuses()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"\xff", b"1" * 5000, b"[" * 100_000, b'{"format": 1}']
)
def test_a_list_that_is_none(members: list[Entry], target: Target, text: bytes) -> None:
    packed([file_entry(LIST, text), *members[1:]], target.file)
    target.refuses()


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
    members: list[Entry], target: Target, number: int
) -> None:
    (text,) = [data for info, data in members if info.name == MANIFEST]
    data = json.loads(text)
    MANIFESTS[number](data)
    packed(replaced(members, MANIFEST, json.dumps(data).encode()), target.file)
    target.refuses()


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
    members: list[Entry], target: Target, name: str, data: bytes
) -> None:
    changed = replaced(members, name, data)
    if name.startswith("snapshot/a/"):
        changed = with_part_file(changed, name)
    packed(changed, target.file)
    target.refuses()


def with_part_file(members: list[Entry], name: str) -> list[Entry]:
    """The manifest made to agree with a file that was replaced."""
    listed = json.loads(members[0][1])["members"][name]
    (text,) = [data for info, data in members if info.name == MANIFEST]
    data = json.loads(text)
    (own,) = [each for each in data["parts"] if each["node"] == "a"]
    own["files"][name.rpartition("/")[2]] = listed
    return replaced(members, MANIFEST, json.dumps(data).encode())


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
    members: list[Entry], target: Target, xml: bytes
) -> None:
    name = "snapshot/a/domain.xml"
    packed(with_part_file(replaced(members, name, xml), name), target.file)
    target.refuses()


def test_a_disk_that_stands_on_the_hosts_files(
    members: list[Entry], target: Target, tmp_path: Path
) -> None:
    """Whatever it names as its backing file, it gets the golden image instead."""
    (disk,) = [data for info, data in members if info.name == DISK]
    offset = int.from_bytes(disk[8:16], "big")
    length = int.from_bytes(disk[16:20], "big")
    evil = b"/etc/passwd".ljust(length, b"/")[:length]
    disk = disk[:offset] + evil + disk[offset + length :]
    packed(with_part_file(replaced(members, DISK, disk), DISK), target.file)
    import_lab(target.site.context, target.file)
    layers = chain(target.site.home.lab(LAB).node("a").overlay)
    assert [layer.parent for layer in layers[1:]] == [target.site.home.images]


def test_an_image_that_is_not_what_it_says(members: list[Entry], target: Target) -> None:
    """The name of a member is the digest its bytes must have."""
    (image,) = [info.name for info, _ in members if info.name.startswith("images/")]
    packed(replaced(members, image, b"other"), target.file)
    target.refuses("is not what its name says")


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A target for many archives: what one leaves, the next would see."""
    folder = tmp_path_factory.mktemp("mutations")
    (folder / "site").mkdir()
    return Target(folder)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_mutation_harms(good: Path, lasting: Target, data: Any) -> None:
    """Bytes changed, cut out, put in, doubled, of the tar file or of its compressed form."""
    inner = data.draw(st.booleans())
    raw = bytearray(gzip.decompress(good.read_bytes()) if inner else good.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of the places are among headers and texts, which come first.
        place = data.draw(st.integers(0, len(raw) - 1) | st.integers(0, 12000))
        span = data.draw(st.integers(0, 1024))
        raw[place : place + span] = data.draw(
            st.binary(max_size=64) | st.just(bytes(raw[place : place + span]) * 2)
        )
    lasting.file.write_bytes(gzip.compress(raw, 1) if inner else bytes(raw))
    if code := outcome(lasting):
        assert code is ExitCode.SNAPSHOT
        lasting.is_clean()
    else:
        lasting.site.destroy()


def outcome(target: Target) -> ExitCode:
    """The exit code that an import amounts to."""
    try:
        import_lab(target.site.context, target.file)
    except LabctlError as error:
        return error.exit_code
    return ExitCode.DONE
