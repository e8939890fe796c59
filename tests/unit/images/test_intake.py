"""Images come in from any format, and only whole, still and alone."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.given import MIB, made, overlay, qemu_img
from labctl.errors import ImageError
from labctl.images.admit import admit
from labctl.images.digest import raw_digest
from labctl.images.formats import Format, format_of
from labctl.images.intake import Request
from labctl.images.salvaged import remember
from labctl.images.store import ImageStore
from labctl.images.writers import refuse_open_writer
from labctl.model.image import Image, Provenance
from labctl.model.known_image import KnownImage

NAME = "nxosv-final.7.0.3.I7.4.qcow2"


@pytest.mark.parametrize(
    ("target", "words"),
    [("raw", ()), ("vmdk", ()), ("vmdk", ("-o", "subformat=streamOptimized")), ("qcow2", ())],
)
def test_every_format_becomes_qcow2_with_the_same_content(
    store: ImageStore, raw: Path, target: str, words: tuple[str, ...]
) -> None:
    file = raw if target == "raw" else made(raw, target, *words)
    image = admit(store, Request(file, "a"))
    assert format_of(image.path) is Format.QCOW2
    assert image.content == raw_digest(raw)
    assert image.given.format == target
    assert image.given.size == file.stat().st_size
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert image.given.sha256 == ("" if target == "raw" else digest)
    assert (image.sha256 == digest) is (target == "qcow2")
    assert image.path.stat().st_mode & 0o777 == 0o444


def test_a_sparse_file_stays_sparse(store: ImageStore, tmp_path: Path) -> None:
    file = tmp_path / "full.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-o", "preallocation=full", file, "32M")
    image = admit(store, Request(file, "a"))
    assert image.path.stat().st_blocks * 512 < MIB < image.size


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "is empty"),
        (b"hello", "no disk image"),
        (bytes(4096), "no disk image"),
        (b"\x1f\x8b" + bytes(600), "compressed with gzip"),
        (b"# Disk DescriptorFile\nversion=1", "whose data is in other files"),
        (b"QFI\xfb\0\0\0\1" + bytes(600), "no disk image"),
        (b"QFI\xfb\0\0\0\3" + bytes(438) + b"\x80\0\0\0\x83" + bytes(59) + b"\x55\xaa", "could be"),
        (bytes(450) + b"\x83" + bytes(59) + b"\x55\xaa" + b"x", "cut short"),
    ],
)
def test_what_is_not_plainly_a_disk_is_refused(
    store: ImageStore, tmp_path: Path, head: bytes, words: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(head)
    with pytest.raises(ImageError, match=words):
        admit(store, Request(file, "a"))
    assert store.list() == ()


def test_of_hundreds_of_errors_the_first_are_told_and_how_many_more(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    file = tmp_path / "rotten.qcow2"
    qemu_img("convert", "-f", "raw", "-O", "qcow2", raw, file)
    with file.open("r+b") as opened:
        opened.seek(2 << 16)  # the first block of reference counts
        opened.write(bytes(1 << 16))
    with pytest.raises(ImageError, match=r"finds rotten\.qcow2 damaged") as caught:
        admit(store, Request(file, "a"))
    lines = caught.value.details.splitlines()
    assert len(lines) == 6
    assert re.fullmatch(r"\.\.\. and \d+ more", lines[-1])


def test_a_folder_and_nothing_are_refused(store: ImageStore, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is no file"):
        admit(store, Request(tmp_path, "a"))
    with pytest.raises(ImageError, match="No such file"):
        admit(store, Request(tmp_path / "nowhere", "a"))


def test_flattened_it_stands_alone(store: ImageStore, raw: Path, tmp_path: Path) -> None:
    top = overlay(tmp_path / "top.qcow2", made(raw, "qcow2"))
    with pytest.raises(ImageError, match="backing file") as caught:
        admit(store, Request(top, "a"))
    assert "--flatten" in caught.value.resolution
    image = admit(store, Request(top, "a", flatten=True))
    assert image.given.flattened
    assert image.content == raw_digest(raw)
    alone = admit(store, Request(made(raw, "qcow2"), "b", flatten=True))
    assert not alone.given.flattened


def test_a_chain_that_kills_qemu_is_refused_unopened(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    """Headers alone: what they name is never opened, so nothing but headers need be there."""
    head = overlay(tmp_path / "0", made(raw, "qcow2")).read_bytes()[:65536]
    place, length = (int.from_bytes(head[8:16], "big"), int.from_bytes(head[16:20], "big"))
    for depth in range(1, 1848):
        name = str(depth - 1).encode()
        data = bytearray(head)
        data[16:20] = len(name).to_bytes(4, "big")
        data[place : place + length] = name.ljust(length, b"\0")
        (tmp_path / str(depth)).write_bytes(data)
    begun = time.monotonic()
    with pytest.raises(ImageError, match="1848 files, more than QEMU can open") as caught:
        admit(store, Request(tmp_path / "1847", "a", flatten=True))
    assert "labctl image salvage" in caught.value.resolution
    assert time.monotonic() - begun < 10


@contextmanager
def holding(path: Path, *words: str) -> Iterator[None]:
    """QEMU with the file open."""
    argv = ["qemu-io", *words, str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as qemu:
        assert qemu.stdin
        assert qemu.stdout
        qemu.stdin.write("length\n")
        qemu.stdin.flush()
        while "MiB" not in qemu.stdout.readline():
            assert qemu.poll() is None
        yield
        qemu.stdin.close()


def test_an_image_that_a_machine_writes_to_is_refused(store: ImageStore, raw: Path) -> None:
    file = made(raw, "qcow2")
    with holding(file), pytest.raises(ImageError, match="open for writing") as caught:
        admit(store, Request(file, "a"))
    assert "(qemu-io)" in caught.value.details
    with holding(file, "-r"):  # one that only reads changes nothing
        assert admit(store, Request(file, "a")).content


@pytest.fixture
def in_the_open(raw: Path) -> Iterator[Path]:
    """An image where any user may read it."""
    with tempfile.TemporaryDirectory(prefix="labctl-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield made(raw, "qcow2").rename(folder / "disk.qcow2")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_users_machine_is_known_by_its_locks(in_the_open: Path) -> None:
    with holding(in_the_open):
        os.seteuid(65534)
        try:
            with pytest.raises(ImageError, match="open for writing") as caught:
                refuse_open_writer(in_the_open)
        finally:
            os.seteuid(0)
    assert caught.value.details == "by a process that can't be seen from here"


def test_a_layer_that_is_written_to_is_refused(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    base = made(raw, "qcow2")
    top = overlay(tmp_path / "top.qcow2", base)
    with base.open("r+b"), pytest.raises(ImageError, match=r"disk\.qcow2 is open for writing"):
        admit(store, Request(top, "a", flatten=True))


def known(file: Path, name: str = NAME, size: int = 0) -> dict[str, KnownImage]:
    md5 = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    return {name.lower(): KnownImage(name, size or file.stat().st_size, md5, "a test")}


@pytest.mark.parametrize("name", [NAME.upper(), "nxosv9k-7.0.3.I7.4", "renamed"])
def test_a_published_file_is_pristine_under_any_name(
    store: ImageStore, raw: Path, name: str
) -> None:
    file = made(raw, "qcow2")
    image = admit(store, Request(file, name, known=known(file)))
    assert (image.provenance, image.published) == (Provenance.PRISTINE, NAME)
    assert image.given.md5 == hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("name", [NAME, NAME.lower().removesuffix(".qcow2"), "nxosv9k-7.0.3.I7.4"])
def test_another_file_of_its_name_is_modified(store: ImageStore, raw: Path, name: str) -> None:
    file = made(raw, "qcow2")
    table = known(file, size=985792512)
    image = admit(store, Request(file, name, known=table))
    assert (image.provenance, image.published) == (Provenance.MODIFIED, NAME)


def test_of_other_names_nothing_is_known_and_no_md5_made(store: ImageStore, raw: Path) -> None:
    file = made(raw, "qcow2")
    image = admit(store, Request(file, "nxosv9k-7.0.3.I7.5", known=known(file, size=1)))
    assert (image.provenance, image.published) == (Provenance.UNKNOWN, "")
    assert image.given.md5 == ""


def test_progress_is_told_to_the_end(store: ImageStore, raw: Path) -> None:
    told: list[tuple[str, int, int]] = []
    admit(store, Request(made(raw, "vmdk"), "a"), lambda *step: told.append(step))
    for step in ("convert", "hash"):
        last = [(done, total) for name, done, total in told if name == step][-1]
        assert last[0] == last[1] > 0


def test_a_salvaged_disk_stays_one(store: ImageStore, raw: Path) -> None:
    file = made(raw, "qcow2")
    image = admit(store, Request(file, "saved"))
    remember(store.folder, image.content)
    again: Image = admit(store, Request(made(raw, "vmdk"), NAME, known=known(file)))
    assert again.content == image.content
    assert again.provenance is Provenance.SALVAGED
