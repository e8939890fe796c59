"""QEMU runs as another user than labctl: it must get through the folders to a lab's disks."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.archives import moved
from harness.site import LAB, Site
from labctl.ops.import_lab import import_lab
from labctl.ops.restore import restore

NODES = ("a", "b")


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def assert_reached(site: Site) -> None:
    """Each folder from HOME down to each node's lets others through."""
    for node in NODES:
        disk = site.home.lab(LAB).node(node).overlay
        assert disk.exists()
        steps = [step for step in disk.parents if step.is_relative_to(site.home.folder)]
        assert [step for step in steps if not mode(step) & stat.S_IXOTH] == []


def test_of_an_imported_lab(here: Site, there: Site, archive_file: Path) -> None:
    assert_reached(here)
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    assert_reached(there)
    assert mode(there.home.lab(LAB).folder) == mode(here.home.lab(LAB).folder)
    for site in (here, there):
        assert mode(site.home.lab(LAB).node("a").day0) & 0o077 == 0


def test_of_one_imported_that_up_boots(here: Site, there: Site, archive_file: Path) -> None:
    moved(here, archive_file)
    import_lab(there.context, archive_file, start=False)
    there.up()
    assert_reached(there)
    assert mode(there.home.lab(LAB).folder) == mode(here.home.lab(LAB).folder)


def test_what_came_packed_is_for_its_owner_alone(
    here: Site, there: Site, archive_file: Path
) -> None:
    moved(here, archive_file)
    import_lab(there.context, archive_file, start=False)
    kept = [path for path in there.home.lab(LAB).snapshots.rglob("*") if path.is_file()]
    private = [path for path in kept if path.name in ("manifest.json", "memory", "day0.iso")]
    assert private
    assert {mode(path) for path in private} == {0o600}


def test_of_a_lab_put_back_where_its_nodes_were_removed(here: Site) -> None:
    shutil.rmtree(here.home.lab(LAB).nodes)
    restore(here.context, LAB, "moved", safety=False)
    assert_reached(here)
