"""Damaged images put aside: sealed, whole or not at all, and out of every lab's reach."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.killed import killed_at
from harness.site import LAB, Site, pair
from labctl.cli.main import main
from labctl.errors import ExitCode, ImageError
from labctl.images.store import ImageStore
from labctl.ops.quarantine import cases_of, quarantine


def store(site: Site) -> ImageStore:
    return ImageStore(site.home.images)


def disk(path: Path, size: str = "2M") -> Path:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, size], check=True)
    return path


@pytest.fixture(autouse=True)
def removable(site: Site) -> Iterator[None]:
    yield
    for path in site.home.quarantine.glob("*/"):
        path.chmod(0o755)


def test_a_store_image_is_sealed_with_its_evidence(site: Site) -> None:
    site.write(pair("a", "b"))
    site.up()
    image = store(site).get("frr")
    content = image.path.read_bytes()
    store(site).add(image.path, "also")
    sealed = quarantine(site.home, "frr", note="found at a reboot", inspection=lambda _: {"x": 1})
    folder = sealed.folder
    assert (folder / sealed.case.file).read_bytes() == content
    assert not image.path.exists()
    assert sealed.case.id.endswith(image.sha256[:12])
    assert {path.name for path in folder.iterdir()} == {
        image.path.name,
        "case.json",
        "chain.json",
        "check.json",
        "inspection.json",
        "manifest-also.json",
        "manifest-frr.json",
        "notes.txt",
        "sha256sums",
    }
    assert {path.stat().st_mode & 0o222 for path in [folder, *folder.iterdir()]} == {0}
    subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "sha256sums"], cwd=folder, check=True)
    assert json.loads((folder / "check.json").read_text())["standing"] == "clean"
    assert json.loads((folder / "inspection.json").read_text()) == {"x": 1}
    assert sealed.case.nodes == (f"{LAB}/a", f"{LAB}/b")
    assert sealed.sha256 == image.sha256


def test_every_name_of_it_stops_working_and_points_to_the_case(site: Site) -> None:
    site.write(pair("a", "b"))
    site.up()
    site.down()
    store(site).add(store(site).get("frr").path, "also")
    sealed = quarantine(site.home, "frr")
    for name in ("frr", "also"):
        with pytest.raises(ImageError, match=f"in quarantine since .*{sealed.case.id}"):
            store(site).get(name)
    assert store(site).list() == ()
    with pytest.raises(ImageError, match=sealed.case.id) as caught:
        site.up()
    assert "image import FILE --name frr" in caught.value.resolution


def test_a_good_copy_brings_name_and_nodes_back(site: Site, tmp_path: Path) -> None:
    site.write(pair("a", "b"))
    site.up()
    site.down()
    good = tmp_path / "good.qcow2"
    good.write_bytes(store(site).get("frr").path.read_bytes())
    quarantine(site.home, "frr")
    store(site).add(good, "frr")
    assert site.up().failed == ()
    assert len(cases_of(site.home)) == 1
    assert not list(site.home.images.glob("names/*.quarantined"))


def test_of_any_other_file_a_copy_is_sealed_and_the_file_left_as_it_was(
    site: Site, tmp_path: Path
) -> None:
    file = disk(tmp_path / "found.qcow2")
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    sealed = quarantine(site.home, str(file), tar=True)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert (sealed.folder / "found.qcow2").read_bytes() == before[0]
    assert sealed.tar is not None
    with tarfile.open(sealed.tar) as packed:
        inside = packed.extractfile(f"{sealed.case.id}/found.qcow2")
        assert inside is not None
        assert hashlib.sha256(inside.read()).hexdigest() == sealed.sha256
    again = quarantine(site.home, str(file))
    assert again.case.id == f"{sealed.case.id}-2"
    assert [case.id for case, _ in cases_of(site.home)] == [sealed.case.id, again.case.id]


def test_a_file_of_the_store_is_the_stores_image(site: Site) -> None:
    path = store(site).get("frr").path
    sealed = quarantine(site.home, str(path))
    assert sealed.case.moved
    assert sealed.case.names == ("frr",)


def test_what_is_no_image_at_all_can_be_sealed_too(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "broken.qcow2"
    file.write_bytes(b"QFI\xfb\0")
    sealed = quarantine(site.home, str(file))
    assert sealed.health.standing == "unreadable"
    assert json.loads((sealed.folder / "chain.json").read_text())[0]["error"]
    with pytest.raises(ImageError, match="no image 'nothing'"):
        quarantine(site.home, "nothing")


@pytest.mark.parametrize("place", range(1, 60, 3))
def test_killed_anywhere_the_next_run_puts_it_right(site: Site, tmp_path: Path, place: int) -> None:
    image = store(site).get("frr")
    killed = killed_at(site.fake, place, tmp_path, lambda: quarantine(site.home, "frr"))
    cases = cases_of(site.home)
    left = {path.name for path in site.home.quarantine.glob("*")}
    assert left == {case.id for case, _ in cases}
    assert killed or cases
    if not cases:
        assert store(site).get("frr") == image
        assert image.path.exists()
        return
    ((case, folder),) = cases
    assert not image.path.exists()
    assert hashlib.sha256((folder / case.file).read_bytes()).hexdigest() == image.sha256
    assert os.access(folder / "sha256sums", os.R_OK)
    with pytest.raises(ImageError, match=case.id):
        store(site).get("frr")


def test_a_good_copy_imported_after_a_kill_is_not_taken_for_the_damaged_one(
    site: Site, tmp_path: Path
) -> None:
    good = tmp_path / "good.qcow2"
    good.write_bytes(store(site).get("frr").path.read_bytes())
    damaged = store(site).get("frr").path
    damaged.chmod(0o644)
    with damaged.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    place = 1
    while killed_at(site.fake, place, tmp_path, lambda: quarantine(site.home, "frr")):
        if list(site.home.quarantine.glob("*.sealing")):
            break
        place += 1
    (begun,) = site.home.quarantine.glob("*.sealing")
    assert not (begun / damaged.name).exists()
    store(site).add(good, "frr")
    cases_of(site.home)
    assert store(site).check(store(site).get("frr")) == ()


def test_the_command_seals_lists_and_says_what_to_do(
    by_command_line: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site = by_command_line
    site.write(pair("a", "b"))
    site.up()
    assert main(["image", "quarantine"]) == ExitCode.DONE
    assert "no image is in quarantine" in capsys.readouterr().out
    assert main(["image", "quarantine", "frr", "--note", "odd"]) == ExitCode.DONE
    told = capsys.readouterr().out
    assert "stood on it: pair/a, pair/b" in told
    assert "image import FILE --name frr" in told
    assert main(["image", "quarantine", "--json"]) == ExitCode.DONE
    (case,) = json.loads(capsys.readouterr().out)["cases"]
    assert "verdict" in json.loads((Path(case["folder"]) / "inspection.json").read_text())
    assert (case["names"], case["note"]) == (["frr"], "odd")
    assert Path(case["folder"]).is_dir()
    assert main(["image", "quarantine", "--note", "x"]) == ExitCode.USAGE
    capsys.readouterr()
    assert main(["preflight", str(site.file)]) == ExitCode.IMAGE
