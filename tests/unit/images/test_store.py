"""The store: what it takes, what it refuses, what it notices."""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from labctl.errors import ImageError
from labctl.images.store import ImageStore


def qcow2(path: Path, pattern: int = 1, *options: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, path, "64M"], check=True)
    write = f"write -P {pattern} 0 256k"
    subprocess.run(["qemu-io", "-c", write, path], check=True, capture_output=True)
    return path


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def scribble(path: Path) -> None:
    """Change a byte as a disk or a careless hand would, size and mode as before."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    path.chmod(mode)


def test_an_added_image_is_found_by_name_and_content(store: ImageStore, tmp_path: Path) -> None:
    file = qcow2(tmp_path / "a.qcow2")
    image = store.add(file, "nxosv9k-7.0.3.I7.4", "vendor")
    assert image.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert image.path.name == f"sha256-{image.sha256}.qcow2"
    assert image.path.read_bytes() == file.read_bytes()
    assert image.path.stat().st_mode & 0o777 == 0o444
    assert (image.virtual_size, image.source) == (64 << 20, "vendor")
    assert store.get("nxosv9k-7.0.3.I7.4") == image
    assert store.list() == (image,)
    assert store.check(image) == ()


def marks(store: ImageStore) -> dict[Path, tuple[int, int, int]]:
    """What changes when a file is replaced, written to or given another mode."""
    found = {path: path.stat() for path in store.folder.glob("*.qcow2")}
    return {path: (s.st_ino, s.st_mtime_ns, s.st_ctime_ns) for path, s in found.items()}


def test_adding_the_same_again_changes_nothing(store: ImageStore, tmp_path: Path) -> None:
    file = qcow2(tmp_path / "a.qcow2")
    first = store.add(file, "frr")
    before = marks(store)
    assert store.add(file, "frr") == first
    assert marks(store) == before


def test_two_names_share_one_file_and_a_name_moves_on(store: ImageStore, tmp_path: Path) -> None:
    one = store.add(qcow2(tmp_path / "a.qcow2", 1), "one")
    two = store.add(tmp_path / "a.qcow2", "two")
    assert one.path == two.path
    moved = store.add(qcow2(tmp_path / "b.qcow2", 2), "one")
    assert moved.path != one.path
    assert one.path.exists()  # nodes may stand on it
    assert store.get("one") == moved


def test_nothing_half_made_is_left(store: ImageStore, tmp_path: Path) -> None:
    incoming = store.folder / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "image.part").write_text("left by a killed run")
    store.add(qcow2(tmp_path / "a.qcow2"), "a")
    names = {path.name for path in store.folder.iterdir()}
    assert {name for name in names if not name.startswith("sha256-")} == {
        "incoming",
        "names",
        "store.lock",
    }
    assert [path.name for path in incoming.iterdir()] == ["lock"]


def test_a_missing_image_says_what_was_meant_and_how_to_get_it(
    store: ImageStore, tmp_path: Path
) -> None:
    store.add(qcow2(tmp_path / "a.qcow2"), "nxosv9k-9.3.8")
    with pytest.raises(ImageError) as caught:
        store.get("nxosv9k-9.3.9")
    assert "did you mean 'nxosv9k-9.3.8'" in caught.value.resolution
    assert "\nimport it: `labctl image import FILE --name nxosv9k-9.3.9`" in caught.value.resolution
    with pytest.raises(ImageError) as caught:
        store.get("nxosv9-9.3.8")
    assert caught.value.resolution == "did you mean 'nxosv9k-9.3.8'?"
    with pytest.raises(ImageError) as caught:
        store.get("frr")
    assert "lab/guests/frr/build" in caught.value.resolution


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "-x", "x" * 65, "a\n"])
def test_unsafe_names_are_refused_and_never_found(
    store: ImageStore, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ImageError, match="can't be an image's name"):
        store.add(qcow2(tmp_path / "a.qcow2"), name)
    with pytest.raises(ImageError, match="no image"):
        store.get(name)


def test_a_backing_file_is_refused(store: ImageStore, tmp_path: Path) -> None:
    base = qcow2(tmp_path / "base.qcow2")
    child = tmp_path / "child.qcow2"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", child], check=True
    )
    with pytest.raises(ImageError, match="stands on a backing file") as caught:
        store.add(child, "child")
    assert "qemu-img convert" in caught.value.resolution
    assert store.list() == ()


def test_external_data_and_raw_are_refused(store: ImageStore, tmp_path: Path) -> None:
    data = f"data_file={tmp_path / 'data.raw'}"
    with pytest.raises(ImageError, match="data is in another file"):
        store.add(qcow2(tmp_path / "e.qcow2", 1, "-o", data), "external")
    raw = tmp_path / "raw.img"
    raw.write_bytes(bytes(1 << 20))
    with pytest.raises(ImageError, match="no qcow2"):
        store.add(raw, "raw")
    with pytest.raises(ImageError, match="No such file"):
        store.add(tmp_path / "nowhere", "nowhere")


def test_a_damaged_image_is_refused_and_leaves_nothing(store: ImageStore, tmp_path: Path) -> None:
    file = qcow2(tmp_path / "a.qcow2")
    os.truncate(file, file.stat().st_size - (128 << 10))
    with pytest.raises(ImageError, match="damaged"):
        store.add(file, "a")
    assert [path.name for path in (store.folder / "incoming").iterdir()] == ["lock"]
    assert store.list() == ()


def test_without_qemu_img_nothing_is_taken(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = qcow2(tmp_path / "a.qcow2")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/cp").symlink_to("/bin/cp")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(ImageError, match="qemu-img is not installed"):
        store.add(file, "a")
    assert store.list() == ()


def test_changed_bytes_are_noticed(store: ImageStore, tmp_path: Path) -> None:
    image = store.add(qcow2(tmp_path / "a.qcow2"), "a")
    scribble(image.path)
    (problem,) = store.check(image)
    assert "was changed" in problem


def test_rot_under_the_old_mtime_is_noticed_within_a_week(
    store: ImageStore, tmp_path: Path
) -> None:
    image = store.add(qcow2(tmp_path / "a.qcow2"), "a")
    scribble(image.path)
    os.utime(image.path, ns=(image.mtime_ns, image.mtime_ns))
    now = datetime.now(UTC)
    assert store.check(image, now=now) == ()  # the cheap check can't see it
    assert store.check(image, now=now + timedelta(days=8)) != ()
    assert store.verify(image) != ()


def test_a_touched_but_whole_image_is_verified_once(store: ImageStore, tmp_path: Path) -> None:
    image = store.add(qcow2(tmp_path / "a.qcow2"), "a")
    os.utime(image.path, ns=(1, 1))
    later = datetime.now(UTC) + timedelta(days=1)
    assert store.check(image, now=later) == ()
    known = store.get("a")
    assert known.mtime_ns == 1
    assert datetime.fromisoformat(known.verified) == later.replace(microsecond=0)


def test_missing_shrunk_and_writable_images_are_noticed(store: ImageStore, tmp_path: Path) -> None:
    image = store.add(qcow2(tmp_path / "a.qcow2"), "a")
    image.path.chmod(0o644)
    assert "writable" in store.check(image)[0]
    os.truncate(image.path, 10)
    assert "10 bytes" in store.check(image)[0]
    image.path.unlink()
    assert "No such file" in store.check(image)[0]


def test_adding_again_repairs_a_damaged_store(store: ImageStore, tmp_path: Path) -> None:
    file = qcow2(tmp_path / "a.qcow2")
    scribble(store.add(file, "a").path)
    assert store.check(store.add(file, "a")) == ()


def test_a_broken_manifest_is_an_image_error(store: ImageStore, tmp_path: Path) -> None:
    store.add(qcow2(tmp_path / "a.qcow2"), "a")
    (store.folder / "names/a.json").write_text('{"name": "a"}')
    with pytest.raises(ImageError, match="manifest of image a"):
        store.get("a")


def test_what_is_not_the_image_it_should_be_is_refused(store: ImageStore, tmp_path: Path) -> None:
    file = qcow2(tmp_path / "a.qcow2")
    with pytest.raises(ImageError, match="not the image it should be"):
        store.add(file, "a", sha256="0" * 64)
    with pytest.raises(ImageError, match="no image"):
        store.get("a")
