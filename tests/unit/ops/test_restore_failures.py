"""What fails on the way back: all nodes or none, and the next run knows."""

from __future__ import annotations

import pytest

from harness.faults import refuse
from harness.moved_on import (
    NOW,
    OFF,
    PAUSED,
    RUNNING,
    THEN,
    assert_as_taken,
    cut,
    held,
    refused,
    snapshot,
    states,
    strike,
    told,
)
from harness.site import LAB, Site
from labctl.errors import ConnectionLost, SnapshotError
from labctl.ops.restore import restore
from labctl.ops.restore_marker import marker
from labctl.ops.snapshots import Snapshots
from labctl.ops.status import status


@pytest.fixture
def lab(moved_on: Site) -> Site:
    return moved_on


CALLS = ("destroy", "undefine", "define", "restore_memory", "resume", "saved_xml")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("call", CALLS)
def test_where_a_node_fails_all_go_back(lab: Site, call: str, number: int) -> None:
    if call == "resume":  # of the restore: the safety snapshot has been taken by then
        lab.fake.faults.at("restore_memory", lambda: strike(lab, "resume"), call=number)
    else:
        strike(lab, call, number)
    with pytest.raises(
        SnapshotError, match=r"could not be put back: .*refused on purpose"
    ) as caught:
        restore(lab.context, LAB, "base")
    assert "the lab is as it was before, from snapshot before-base" in caught.value.resolution
    assert (states(lab), held(lab)) == ([RUNNING] * 3, NOW)
    assert marker(lab.home.lab(LAB)) is None
    restore(lab.context, LAB, "base", safety=False)
    assert_as_taken(lab)


def test_without_a_safety_snapshot_all_stay_off(lab: Site) -> None:
    strike(lab, "restore_memory", 2)
    with pytest.raises(SnapshotError) as caught:
        restore(lab.context, LAB, "base", safety=False)
    assert "its disks are those of base" in caught.value.resolution
    assert (states(lab), held(lab)) == ([OFF] * 3, THEN)
    lab.up()
    assert states(lab) == [RUNNING] * 3


def test_disks_of_two_instants_are_booted_by_nobody(lab: Site) -> None:
    strike(lab, "define", 2)
    with pytest.raises(SnapshotError, match="could not be put back") as caught:
        restore(lab.context, LAB, "base", safety=False)
    assert "of two instants" in caught.value.resolution
    cut(lab)
    for action in (lab.up, lab.down):
        with pytest.raises(SnapshotError, match="could not be put back"):
            action()
    assert set(states(lab)) <= {OFF, None}
    lab.destroy()
    lab.assert_gone()


def test_that_disks_are_of_two_instants_is_not_forgotten(lab: Site) -> None:
    """The next run begins anew, and fails before it has placed anything."""
    strike(lab, "define", 2)
    with pytest.raises(SnapshotError):
        restore(lab.context, LAB, "base", safety=False)
    strike(lab, "destroy")
    with pytest.raises(SnapshotError, match="could not be put back") as caught:
        lab.down()
    assert "of two instants" in caught.value.resolution
    lab.down()
    assert (states(lab), held(lab)) == ([OFF] * 3, THEN)


def test_another_snapshot_leads_out_of_it(lab: Site) -> None:
    snapshot(lab, "later")
    strike(lab, "define", 2)
    with pytest.raises(SnapshotError):
        restore(lab.context, LAB, "base", safety=False)
    cut(lab)
    result = restore(lab.context, LAB, "later")
    assert result.safety == ""
    assert "its disks are of two instants" in told(lab)
    assert (states(lab), held(lab)) == ([RUNNING] * 3, NOW)


def test_a_libvirt_that_goes_away_leaves_it_to_the_next_run(lab: Site) -> None:
    def lost() -> None:
        raise ConnectionLost("libvirt went away")

    lab.fake.faults.at("restore_memory", lost)
    with pytest.raises(ConnectionLost):
        restore(lab.context, LAB, "base")
    assert marker(lab.home.lab(LAB)) is not None
    (shown,) = status(lab.context, LAB)
    assert "snapshot base is put back in part" in shown.interrupted
    lab.events.clear()
    lab.down(nodes=["a"])
    assert "cut off while it put back snapshot base" in told(lab)
    assert (states(lab), held(lab)) == ([OFF, PAUSED, OFF], THEN)


def test_memory_that_can_t_be_kept_is_left_out_of_the_safety_snapshot(lab: Site) -> None:
    strike(lab, "save_memory")
    result = restore(lab.context, LAB, "base")
    assert not Snapshots(lab.home.lab(LAB)).get(result.safety).with_memory
    assert "without its memory" in told(lab)
    assert_as_taken(lab)


def test_a_present_that_can_t_be_kept_at_all_is_not_replaced(lab: Site) -> None:
    lab.fake.faults.at("suspend", refuse(), call=0)
    error = refused(lab)
    assert "--no-safety" in error.resolution
