"""Destroy and the labs of another LABCTL_HOME."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.site import LAB, Site, pair
from labctl.errors import UsageError
from labctl.model.paths import Home
from labctl.ops.context import Context
from labctl.ops.destroy import belongings, destroy


@pytest.fixture
def lab(site: Site) -> Site:
    site.write(pair("a", "b"))
    site.up()
    return site


@pytest.fixture
def elsewhere(lab: Site, tmp_path: Path) -> Context:
    """Somebody with another home on the same hypervisor."""
    return Context(Home(tmp_path / "other"), None, lab.connect, lab.events.append)


@pytest.mark.parametrize("act", [belongings, destroy])
def test_it_is_refused(
    lab: Site, elsewhere: Context, act: Callable[[Context, str], object]
) -> None:
    with pytest.raises(UsageError) as caught:
        act(elsewhere, LAB)
    assert caught.value.brief == f"lab {LAB} belongs to another LABCTL_HOME, {lab.home.folder}"
    assert f"LABCTL_HOME={lab.home.folder} labctl destroy {LAB}" in caught.value.resolution
    lab.assert_whole("a", "b")


def test_where_that_home_is_gone_its_machines_are_removed(lab: Site, elsewhere: Context) -> None:
    shutil.rmtree(lab.home.lab(LAB).folder)
    assert destroy(elsewhere, LAB).removed.domains == (f"{LAB}.a", f"{LAB}.b")
    assert not lab.fake.domains()
