"""Tar files made to harm: refused with words, never a traceback, nothing written or left."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.archives import (
    Entry,
    Importer,
    file_entry,
    packed,
    relisted,
)
from harness.site import LAB
from labctl.errors import ExitCode, LabctlError, SnapshotError
from labctl.model.archive import LIST
from labctl.ops.import_lab import import_lab
from labctl.ops.tarball import Reading

DISK, MANIFEST = "snapshot/a/disk.qcow2", "snapshot/manifest.json"


def test_a_sound_one_made_by_hand_is_taken(
    archive_members: list[Entry], importer: Importer
) -> None:
    """So that what is refused below is refused for what was changed."""
    import_lab(importer.site.context, packed(archive_members, importer.file), verify=False)
    assert set(importer.site.states) == {f"{LAB}.a", f"{LAB}.b"}


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
def test_a_name_that_leads_elsewhere(
    archive_members: list[Entry], importer: Importer, name: str
) -> None:
    """Listed and there, or there alone."""
    listed = relisted(
        archive_members, lambda data: data["members"].update({name: data["members"][DISK]})
    )
    packed(listed, importer.file)
    importer.refuses("no archive of a lab holds")
    info = tarfile.TarInfo(name)
    raw = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    tar = gzip.decompress(packed(archive_members, importer.file).read_bytes())
    importer.file.write_bytes(gzip.compress(tar[: tar.index(b"configs/")] + raw + bytes(1024)))
    importer.refuses()


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
def test_what_is_no_plain_file(
    archive_members: list[Entry], importer: Importer, kind: bytes
) -> None:
    for info, _ in archive_members:
        if info.name == DISK:
            info.type, info.linkname = kind, "/etc/passwd"
    packed(archive_members, importer.file)
    importer.refuses(DISK)


def test_a_link_that_calls_itself_a_file(archive_members: list[Entry], importer: Importer) -> None:
    for info, _ in archive_members:
        if info.name == DISK:
            info.linkname = "/etc/passwd"
    packed(archive_members, importer.file)
    importer.refuses("no plain file")


def test_a_member_twice(archive_members: list[Entry], importer: Importer) -> None:
    place = [info.name for info, _ in archive_members].index(DISK)
    packed(
        [*archive_members[:place], archive_members[place], *archive_members[place:]], importer.file
    )
    importer.refuses(DISK)


def test_a_member_that_is_not_listed(archive_members: list[Entry], importer: Importer) -> None:
    packed([*archive_members, file_entry("zzz", b"more")], importer.file)
    importer.refuses("does not end where its list does")
    packed([archive_members[0], file_entry("aaa", b"more"), *archive_members[1:]], importer.file)
    importer.refuses("'aaa' where")


def test_a_member_that_is_listed_and_not_there(
    archive_members: list[Entry], importer: Importer
) -> None:
    packed([entry for entry in archive_members if entry[0].name != DISK], importer.file)
    importer.refuses(f"where {DISK} should be")
    packed(archive_members[:-1], importer.file)
    importer.refuses()


def test_a_list_that_is_not_first(archive_members: list[Entry], importer: Importer) -> None:
    packed(archive_members[1:], importer.file)
    importer.refuses(f"where {LIST} should be")
    packed([archive_members[1], archive_members[0], *archive_members[2:]], importer.file)
    importer.refuses(f"where {LIST} should be")


@pytest.mark.parametrize("size", [0, 1, 10**6, 2**40, -1, -512])
def test_a_size_that_lies(archive_members: list[Entry], importer: Importer, size: int) -> None:
    """In the header, in the list, in both."""
    for info, _ in archive_members:
        if info.name == DISK:
            info.size = size
    packed(archive_members, importer.file)
    importer.refuses(DISK)
    both = relisted(archive_members, lambda data: data["members"][DISK].update(size=size))
    packed(both, importer.file)
    with pytest.raises(SnapshotError):
        import_lab(importer.site.context, importer.file)
    importer.is_clean()


def test_a_list_of_a_huge_size(archive_members: list[Entry], importer: Importer) -> None:
    for size in (2**40, -(2**40), 17 * 1024**2):
        archive_members[0][0].size = size
        packed(archive_members, importer.file)
        importer.refuses(f"a list of {size} bytes")


def test_a_bomb_is_left_at_its_listed_size(
    archive_members: list[Entry], importer: Importer
) -> None:
    """1 GiB of zeros in 1 MiB behind the disk's last byte."""
    place = [info.name for info, _ in archive_members].index(DISK)
    head = io.BytesIO()
    for info, data in archive_members[: place + 1]:
        head.write(info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512))
    with gzip.open(importer.file, "wb", 9) as file:
        file.write(head.getvalue())
        for _ in range(256):
            file.write(bytes(2**22))
    importer.refuses("no tar header")


def test_more_than_the_disk_has_room_for(
    archive_members: list[Entry], importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by the list, before a byte is written."""

    def never(*_: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(Reading, "unpack", never)
    huge = relisted(archive_members, lambda data: data["members"][DISK].update(size=2**50))
    packed(huge, importer.file)
    with pytest.raises(SnapshotError, match="are free"):
        import_lab(importer.site.context, importer.file)
    importer.is_clean()


@pytest.mark.parametrize("name", [DISK, MANIFEST, "topology.yaml", "configs/network.xml"])
def test_a_changed_byte(archive_members: list[Entry], importer: Importer, name: str) -> None:
    changed = [
        (info, data[:-1] + b"!" if info.name == name else data) for info, data in archive_members
    ]
    packed(changed, importer.file)
    importer.refuses(f"{name} has another SHA-256")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_ends_too_early(sound_archive: Path, importer: Importer, share: float) -> None:
    whole = sound_archive.read_bytes()
    importer.file.write_bytes(whole[: int(len(whole) * share)])
    importer.refuses()


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing", bytes(10240), b"\x1f\x8b", gzip.compress(b""), gzip.compress(bytes(10240))],
)
def test_what_is_no_archive_at_all(importer: Importer, data: bytes) -> None:
    importer.file.write_bytes(data)
    importer.refuses()


def test_more_behind_the_end(sound_archive: Path, importer: Importer) -> None:
    importer.file.write_bytes(sound_archive.read_bytes() + gzip.compress(b"more"))
    importer.refuses("does not end")
    importer.file.write_bytes(sound_archive.read_bytes() + b"more")
    importer.refuses()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """A importer for many archives: what one leaves, the next would see."""
    folder = tmp_path_factory.mktemp("mutations")
    (folder / "site").mkdir()
    return Importer(folder)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_mutation_harms(sound_archive: Path, lasting: Importer, data: Any) -> None:
    """Bytes changed, cut out, put in, doubled, of the tar file or of its compressed form."""
    inner = data.draw(st.booleans())
    raw = bytearray(
        gzip.decompress(sound_archive.read_bytes()) if inner else sound_archive.read_bytes()
    )
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


def outcome(importer: Importer) -> ExitCode:
    """The exit code that an import amounts to."""
    try:
        import_lab(importer.site.context, importer.file, verify=False)
    except LabctlError as error:
        return error.exit_code
    return ExitCode.DONE
