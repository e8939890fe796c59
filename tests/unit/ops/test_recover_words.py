"""What is told of a run that was cut off: that it goes on only where it does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.moved_on import told
from harness.site import LAB, Site, pair
from labctl.errors import Interrupted
from labctl.ops.context import Context, Interrupt
from labctl.ops.export import export
from labctl.ops.journal import Journal

GOES_ON = "; taking it on from there"


def cut_off(site: Site, operation: str) -> None:
    """Leave the journal that a killed run leaves."""
    Journal(site.home.lab(LAB).journal, operation).__enter__()
    site.events.clear()


@pytest.fixture
def lab(site: Site) -> Site:
    site.write(pair("a", "b"))
    site.up()
    return site


def test_up_goes_on(lab: Site) -> None:
    cut_off(lab, "up")
    lab.up()
    assert f"an earlier run was cut off in up: between two steps{GOES_ON}" in told(lab)


@pytest.mark.parametrize("action", [Site.down, Site.destroy])
def test_what_takes_away_does_not(lab: Site, action: Callable[[Site], object]) -> None:
    cut_off(lab, "up")
    action(lab)
    assert "an earlier run was cut off in up: between two steps" in told(lab)
    assert GOES_ON not in told(lab)


def test_nor_does_a_snapshot_that_is_removed(lab: Site) -> None:
    cut_off(lab, "snapshot create")
    lab.up()
    assert "an earlier run was cut off in snapshot create" in told(lab)
    assert GOES_ON not in told(lab)


def test_an_export_that_was_interrupted(lab: Site) -> None:
    interrupt = Interrupt()
    interrupt.set()
    ctx = Context(lab.home, None, lab.connect, lab.events.append, interrupt)
    file = lab.file.with_name("lab.tgz")
    with pytest.raises(Interrupted, match="while the archive was packed: nothing of it is left"):
        export(ctx, LAB, file)
    assert not file.exists()
