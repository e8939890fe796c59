"""A lab exported on one host and imported on another, both in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.archives import booted, entries, snapshot
from harness.site import LAB, Site
from labctl.hypervisor.api import DomainState
from labctl.images.chain import chain
from labctl.images.store import ImageStore
from labctl.ops.export import export
from labctl.ops.import_lab import import_lab


@pytest.fixture
def here(tmp_path: Path) -> Site:
    """Where the lab is, with a snapshot `moved`."""
    (tmp_path / "here").mkdir()
    site = booted(Site(tmp_path / "here"))
    snapshot(site.context, site.fake, LAB, "moved")
    return site


@pytest.fixture
def there(tmp_path: Path) -> Site:
    """Where it goes, with nothing there yet."""
    (tmp_path / "there").mkdir()
    return Site(tmp_path / "there")


def test_a_snapshot_goes_on(here: Site, there: Site, tmp_path: Path) -> None:
    result = export(here.context, LAB, tmp_path / "lab.tgz", snapshot="moved")
    print(result)
    print([info.name for info, _ in entries(tmp_path / "lab.tgz")])
    done = import_lab(there.context, tmp_path / "lab.tgz")
    print(done)
    there.file = here.file
    there.assert_whole("a", "b")
    print(there.files)
