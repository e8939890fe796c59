"""A present that can't be kept whole: what would be lost is told, and the undo removes nothing."""

from __future__ import annotations

import subprocess

import pytest

from harness.moved_on import OFF, PAUSED, RUNNING, disk, held, states, strike, told, write
from harness.site import LAB, Site, pair
from labctl.errors import SnapshotError, UsageError
from labctl.model.snapshot import from_json, to_json
from labctl.ops.present import lost
from labctl.ops.restore import restore
from labctl.ops.snapshot_list import list_snapshots
from labctl.ops.snapshot_show import show
from labctl.ops.snapshots import Snapshots
from labctl.report.paint import Paint
from labctl.report.snapshot import list_lines, show_lines


def deepen(site: Site, node: str) -> None:
    """Let somebody else's layer lie between the node's disk and its golden image."""
    own = disk(site, node)
    layer = own.with_name("layer.qcow2")
    own.rename(layer)
    create = ("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", layer, own)
    subprocess.run(create, check=True)


@pytest.fixture
def lab(moved_on: Site) -> Site:
    """A lab with a node `d` that `base` lacks, on a foreign layer."""
    moved_on.write(pair("a", "b", "c", "d"))
    moved_on.up()
    write(moved_on, "now")
    deepen(moved_on, "d")
    moved_on.events.clear()
    return moved_on


def test_what_would_be_lost_needs_a_yes(lab: Site) -> None:
    before = (states(lab), held(lab), sorted(lab.files))
    with pytest.raises(UsageError, match="present of d can't be kept") as caught:
        restore(lab.context, LAB, "base")
    assert "d: pair.d: its disk stands on 2 layers" in caught.value.details
    assert caught.value.resolution == f"labctl snapshot restore {LAB} base --yes"
    assert (states(lab), held(lab), sorted(lab.files)) == before
    assert list(lost(lab.context, LAB, "base")) == ["d"]


def test_what_was_lost_is_told_wherever_the_safety_snapshot_is(lab: Site) -> None:
    result = restore(lab.context, LAB, "base", lossy=True)
    assert (result.removed, result.unkept) == (("d",), ("d",))
    assert "the present is kept, but for d" in told(lab)
    assert Snapshots(lab.home.lab(LAB)).get(result.safety).left_out == ("d",)
    listed = "\n".join(list_lines(list_snapshots(lab.context, LAB), Paint()))
    assert "memory, partial: without d" in listed
    shown = show_lines(show(lab.context, LAB, result.safety), Paint())
    assert "  lacks      partial: without d" in shown


def test_going_back_leaves_alone_what_was_not_captured(lab: Site) -> None:
    """`b` is of `base` by then; it is neither removed nor switched off."""
    lab.fake.destroy(f"{LAB}.d")
    disk(lab, "d").unlink()
    deepen(lab, "b")
    first = restore(lab.context, LAB, "base", lossy=True)
    assert first.unkept == ("b", "d")
    lab.fake.resume(f"{LAB}.b")
    result = restore(lab.context, LAB, first.safety)
    assert (result.removed, result.left_alone, result.unkept) == ((), ("b",), ())
    assert states(lab) == [RUNNING] * 3
    assert held(lab) == {"a": "now", "b": "then", "c": "now"}


def test_a_node_the_snapshot_lacks_and_left_out_stays(lab: Site) -> None:
    """A snapshot of before: it knows of `d`, which goes on running meanwhile."""
    snapshots = Snapshots(lab.home.lab(LAB))
    snapshots.write(snapshots.get("base")._replace(left_out=("d",)))
    assert lost(lab.context, LAB, "base") == {}
    result = restore(lab.context, LAB, "base")
    assert (result.removed, result.left_alone) == ((), ("d",))
    assert states(lab) == [RUNNING, PAUSED, OFF]
    assert lab.states[f"{LAB}.d"] is RUNNING


def test_where_it_fails_the_node_without_a_way_back_is_named(lab: Site) -> None:
    strike(lab, "restore_memory", 1)
    with pytest.raises(SnapshotError) as caught:
        restore(lab.context, LAB, "base", lossy=True)
    assert "as it was before, from snapshot before-base" in caught.value.resolution
    assert caught.value.resolution.endswith(", but for d, which it does not hold")


def test_a_manifest_of_before_can_be_read(lab: Site) -> None:
    manifest = Snapshots(lab.home.lab(LAB)).get("base")
    old = to_json(manifest).replace('  "left_out": [],\n', "")
    assert "left_out" not in old
    assert from_json(old) == manifest
