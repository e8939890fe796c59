"""Images come in from any format, and only whole, still and alone."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labctl.errors import ImageError
from labctl.images.admit import admit
from labctl.images.digest import raw_digest
from labctl.images.formats import Format, format_of
from labctl.images.intake import Request
from labctl.images.ova import find_disk
from labctl.images.store import ImageStore
from labctl.model.image import Given, Image, Provenance
from labctl.model.known_image import KnownImage

MIB = 1 << 20
NAME = "nxosv-final.7.0.3.I7.4.qcow2"


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, timeout=60)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A disk with one partition and a little in it."""
    path = tmp_path / "disk.raw"
    with path.open("wb") as file:
        file.truncate(16 * MIB)
        file.seek(446)
        file.write(bytes([0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 0xFF, 0x7F, 0, 0]))
        file.seek(510)
        file.write(b"\x55\xaa")
        file.seek(5 * MIB)
        file.write(b"NX-OS" * 100_000)
    return path


def made(raw: Path, target_format: str, *words: str) -> Path:
    path = raw.with_name(f"disk.{target_format}")
    qemu_img("convert", "-f", "raw", "-O", target_format, *words, raw, path)
    return path


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def overlay(path: Path, base: Path) -> Path:
    qemu_img("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, path)
    return path


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


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "no disk image"),
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


_CHILD = """
import sys
from pathlib import Path
from labctl.images.admit import admit
from labctl.images.admit import admit
from labctl.images.intake import Request
from labctl.images.store import ImageStore
print(admit(ImageStore(Path(sys.argv[1])), Request(Path(sys.argv[2]), "a")).sha256)
"""


def run_with(tmp_path: Path, store: ImageStore, file: Path, **scripts: str) -> tuple[int, str]:
    """An import by another process, with programs of the test's own before those of the system."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    argv = [sys.executable, "-c", _CHILD, str(store.folder), str(file)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    for name in scripts:
        (folder / name).unlink()
    return done.returncode, done.stdout.strip()


_COUNTED_CP = 'echo x >> "$0.count"; exec /bin/cp "$@"'
_KILLED = "kill -9 $PPID; sleep 1"


def copies(tmp_path: Path) -> int:
    path = tmp_path / "bin/cp.count"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_killed_after_the_copy_it_does_not_copy_again(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    file = made(raw, "qcow2")
    code, _ = run_with(tmp_path, store, file, cp=_COUNTED_CP, **{"qemu-img": _KILLED})
    assert (code, copies(tmp_path)) == (-signal.SIGKILL, 1)
    code, sha256 = run_with(tmp_path, store, file, cp=_COUNTED_CP)
    assert (code, copies(tmp_path)) == (0, 1)
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_killed_in_the_copy_the_half_is_not_trusted(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    file = made(raw, "qcow2")
    half = 'for to; do :; done; head -c 100000 /dev/zero > "$to"; ' + _KILLED
    code, _ = run_with(tmp_path, store, file, cp=half)
    assert code == -signal.SIGKILL
    assert (store.folder / "incoming/image.part").exists()
    code, sha256 = run_with(tmp_path, store, file, cp=_COUNTED_CP)
    assert (code, copies(tmp_path)) == (0, 1)
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("changed", ["source", "copy"])
def test_what_changed_since_the_kill_is_copied_again(
    store: ImageStore, raw: Path, tmp_path: Path, changed: str
) -> None:
    file = made(raw, "qcow2")
    run_with(tmp_path, store, file, cp=_COUNTED_CP, **{"qemu-img": _KILLED})
    path = file if changed == "source" else store.folder / "incoming/image"
    os.utime(path, ns=(1, 1))
    code, _ = run_with(tmp_path, store, file, cp=_COUNTED_CP)
    assert (code, copies(tmp_path)) == (0, 2)


def test_a_source_that_changes_while_it_is_copied_is_refused(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    file = made(raw, "qcow2")
    code, _ = run_with(tmp_path, store, file, cp=f'/bin/cp "$@"; touch "{file}"')
    assert code != 0
    assert store.list() == ()
    assert [path.name for path in (store.folder / "incoming").iterdir()] == ["lock"]


def test_a_copy_that_fails_leaves_nothing(
    store: ImageStore, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "bin"
    full.mkdir()
    (full / "cp").write_text("#!/bin/sh\necho No space left on device >&2; exit 1\n")
    (full / "cp").chmod(0o755)
    monkeypatch.setenv("PATH", f"{full}:{os.environ['PATH']}")
    with pytest.raises(ImageError, match="can't copy") as caught:
        admit(store, Request(made(raw, "qcow2"), "a"))
    assert caught.value.details == "No space left on device"
    assert [path.name for path in (store.folder / "incoming").iterdir()] == ["lock"]


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


def test_a_salvaged_disk_stays_one(store: ImageStore, raw: Path) -> None:
    file = made(raw, "qcow2")
    image = admit(store, Request(file, "saved"))
    manifest = store.folder / "names/saved.json"
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(data | {"provenance": "salvaged"}))
    again: Image = admit(store, Request(made(raw, "vmdk"), NAME, known=known(file)))
    assert again.content == image.content
    assert again.provenance is Provenance.SALVAGED
