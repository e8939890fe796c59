"""The content digest tells disks apart, and forms of one disk not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from labctl.errors import ImageError
from labctl.images.digest import BLOCK, content_digest, file_digest, raw_digest

SIZE = 4 * 1024 * 1024 + 512


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A sparse disk whose data begins and ends within blocks."""
    path = tmp_path / "disk.raw"
    with path.open("wb") as file:
        file.truncate(SIZE)
        file.seek(100_000)
        file.write(b"boot" * 50_000)
        file.seek(SIZE - 3)
        file.write(b"end")
    return path


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, timeout=60)


def test_zeros_count_as_absent_whether_they_are_written_or_not(raw: Path, tmp_path: Path) -> None:
    full = tmp_path / "full.raw"
    full.write_bytes(raw.read_bytes())
    assert full.stat().st_blocks > raw.stat().st_blocks
    assert raw_digest(full) == raw_digest(raw)


@pytest.mark.parametrize("offset", [0, BLOCK, 100_000, SIZE - 1])
def test_one_changed_byte_changes_it(raw: Path, offset: int) -> None:
    before = raw_digest(raw)
    with raw.open("r+b") as file:
        file.seek(offset)
        old = file.read(1)
        file.seek(offset)
        file.write(bytes([old[0] ^ 1]))
    assert raw_digest(raw) != before


def test_a_longer_disk_is_another_disk(raw: Path) -> None:
    before = raw_digest(raw)
    with raw.open("r+b") as file:
        file.truncate(SIZE + 512)
    assert raw_digest(raw) != before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("qcow2", ("-o", "cluster_size=4096,compat=0.10")),
        ("qcow2", ("-c",)),
        ("vmdk", ("-o", "subformat=streamOptimized")),
    ],
)
def test_it_is_the_same_in_every_form(
    raw: Path, tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    image, scratch = tmp_path / "image", tmp_path / "scratch"
    qemu_img("convert", "-f", "raw", "-O", name, *words, raw, image)
    assert file_digest(image) != file_digest(raw)
    assert content_digest(image, scratch=scratch, image_format=name) == raw_digest(raw)
    assert not scratch.exists()


def test_it_is_of_the_whole_chain(raw: Path, tmp_path: Path) -> None:
    base, top = tmp_path / "base", tmp_path / "top"
    qemu_img("convert", "-f", "raw", "-O", "qcow2", raw, base)
    qemu_img("create", "-f", "qcow2", "-F", "qcow2", "-b", base, top)
    assert content_digest(top, scratch=tmp_path / "scratch") == raw_digest(raw)


def test_what_is_unreadable_has_none_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"no qcow2")
    with pytest.raises(ImageError, match="can't convert"):
        content_digest(tmp_path / "bad", scratch=tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()
