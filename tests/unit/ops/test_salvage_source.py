"""Rescue from the store and from quarantine: what it is taken from, and what it is called then."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from harness.disks import image, l2_table, overlay, poke, raw_of, write
from harness.site import Site
from labctl.errors import ImageError
from labctl.images.store import ImageStore
from labctl.model.image import Provenance
from labctl.ops.quarantine import quarantine
from labctl.ops.salvage import salvage

CLUSTER = 65536


def test_of_what_was_whole_no_copy_is_called_salvaged(site: Site, tmp_path: Path) -> None:
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 2M")
    store = ImageStore(site.home.images)
    store.add(file, "good")
    assert salvage(site.home, str(file), "rescued").image.provenance is Provenance.UNKNOWN
    assert salvage(site.home, "good", "again").as_imported
    assert store.add(file, "copy").provenance is Provenance.UNKNOWN
    poke(file, 5 << 16, b"?")  # data: no table tells of it
    assert salvage(site.home, str(file), "changed").image.provenance is Provenance.UNKNOWN


def test_what_an_image_of_the_store_shows_is_not_called_salvaged(
    site: Site, tmp_path: Path
) -> None:
    holed = image(tmp_path / "holed.qcow2")
    write(holed, "write -P 9 64k 64k")
    store = ImageStore(site.home.images)
    store.add(holed, "good")
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 128k")
    poke(file, l2_table(file), struct.pack(">Q", 1 << 63 | 0x7777_0000_0000))
    found = salvage(site.home, str(file), "rescued")
    assert found.lost == ((0, CLUSTER),)
    assert found.image.content == store.get("good").content
    assert store.add(holed, "copy").provenance is Provenance.UNKNOWN


def test_a_case_is_salvaged_and_stays_as_it_is(site: Site) -> None:
    sealed = quarantine(site.home, "frr")
    found = salvage(site.home, sealed.case.id, "rescued")
    assert found.source == sealed.folder / sealed.case.file
    assert found.as_imported is True
    subprocess.run(["sha256sum", "-c", "--quiet", "sha256sums"], cwd=sealed.folder, check=True)
    sealed.folder.chmod(0o755)


def test_the_name_of_a_quarantined_image_means_its_case(site: Site) -> None:
    sealed = quarantine(site.home, "frr")
    with pytest.raises(ImageError) as caught:
        ImageStore(site.home.images).get("frr")
    assert f"labctl image salvage {sealed.case.id} --name NEW" in caught.value.resolution
    found = salvage(site.home, "frr", "rescued")
    assert found.source == sealed.folder / sealed.case.file
    sealed.folder.chmod(0o755)


def test_of_a_case_that_is_not_there_those_that_are_are_told(site: Site) -> None:
    with pytest.raises(ImageError, match="no case '20261126-ab'") as caught:
        salvage(site.home, "20261126-ab", "rescued")
    assert caught.value.details == "cases: none"
    sealed = quarantine(site.home, "frr")
    with pytest.raises(ImageError, match="no case '20261126-ab'") as caught:
        salvage(site.home, "20261126-ab", "rescued")
    assert caught.value.details == f"cases: {sealed.case.id}"
    sealed.folder.chmod(0o755)


def test_a_case_of_a_copied_layer_finds_what_is_below_it(site: Site, tmp_path: Path) -> None:
    base = image(tmp_path / "base.qcow2")
    write(base, "write -P 9 0 1M")
    top = overlay(tmp_path / "top.qcow2", Path("base.qcow2"))
    sealed = quarantine(site.home, str(top))
    found = salvage(site.home, sealed.case.id, "rescued")
    assert (found.layers, found.lost) == (2, ())
    assert raw_of(found.image.path, tmp_path)[:CLUSTER] == bytes([9]) * CLUSTER
    sealed.folder.chmod(0o755)
