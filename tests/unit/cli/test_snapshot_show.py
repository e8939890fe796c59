"""`labctl snapshot show`: cables as they were, held against cables as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.archives import moved
from harness.site import LAB, Site, pair
from harness.snapshot_command import Capture, labctl, told
from labctl.ops.import_lab import import_lab
from labctl.ops.snapshot_results import Difference
from labctl.ops.snapshot_show import show
from labctl.ops.snapshots import Snapshots
from labctl.report.paint import Paint
from labctl.report.snapshot import show_lines


@pytest.fixture
def lab(by_command_line: Site, own_home: None) -> Site:
    """Two nodes that run."""
    by_command_line.write(pair("a", "b"))
    by_command_line.up()
    return by_command_line


@pytest.fixture
def own_home() -> None:
    """The site's, not the one of the other tests here."""


def plug(lab: Site, *, up: bool) -> None:
    """The one cable's end at `a`."""
    lab.fake.set_link(f"{LAB}.a", lab.domains[f"{LAB}.a"].udp[0].mac, up=up)


@pytest.mark.parametrize("how", ["memory", "disks", "off"])
def test_show_names_cables_pulled_and_plugged_since(lab: Site, capsys: Capture, how: str) -> None:
    if how == "off":
        lab.fake.destroy(f"{LAB}.a")
    options = ("--disk-only",) if how == "disks" else ()
    labctl("create", LAB, "plugged", *options)
    plug(lab, up=False)
    labctl("create", LAB, "pulled", *options)
    assert "  a: cable of eth2 was plugged, is pulled" in told(capsys, "show", LAB, "plugged")
    assert "cable of" not in told(capsys, "show", LAB, "pulled")
    plug(lab, up=True)
    assert "  a: cable of eth2 was pulled, is plugged" in told(capsys, "show", LAB, "pulled")


def test_show_does_without_memory_that_can_t_be_read(lab: Site, capsys: Capture) -> None:
    labctl("create", LAB, "one")
    (lab.home.lab(LAB).snapshots / "one" / "a" / "memory").unlink()
    plug(lab, up=False)
    assert "no difference from the lab" in told(capsys, "show", LAB, "one")


def test_an_imported_one_is_of_its_file_and_of_no_other_hypervisor(
    here: Site, there: Site, archive_file: Path
) -> None:
    moved(here, archive_file)
    import_lab(there.context, archive_file, verify=False)
    imported, own = (show(site.context, LAB, "moved") for site in (there, here))
    assert "hypervisor" not in [each.what for each in imported.differences]
    (line,) = [line for line in show_lines(imported, Paint(False)) if "made by" in line]
    assert line.endswith(f", imported from {archive_file}")
    (line,) = [line for line in show_lines(own, Paint(False)) if "made by" in line]
    assert line.endswith(f" on {here.fake.uri}")


def test_another_hypervisor_is_a_difference(lab: Site) -> None:
    labctl("create", LAB, "one")
    snapshots = Snapshots(lab.home.lab(LAB))
    snapshots.write(snapshots.get("one")._replace(uri="test:///other"))
    assert Difference("hypervisor", "test:///other", lab.fake.uri) in (
        show(lab.context, LAB, "one").differences
    )
