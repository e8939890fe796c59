"""verify on a running lab: cables the hypervisor knows of, waiting, consoles, other runs."""

from __future__ import annotations

import pytest

from harness.guests import guests
from harness.intents import fabric_of, fabric_text
from harness.simulated import Simulation
from harness.site import Site
from labctl.ops.link import set_link
from labctl.ops.verify import verify_live
from labctl.verify.model import CauseKind

LAB = "simulated"


@pytest.fixture
def lab(site: Site) -> Simulation:
    """A fabric that runs on the site; its faults are put in while it does."""
    simulation = Simulation(fabric_of())
    site.write(fabric_text())
    site.fake.guest = guests(simulation.evidence)
    assert site.up().failed == ()
    return simulation


def test_the_hypervisor_is_asked_which_cables_are_pulled(lab: Simulation, site: Site) -> None:
    assert verify_live(site.context, LAB).notes == ()
    set_link(site.context, LAB, "leaf-1:eth1", up=False)
    report = verify_live(site.context, LAB)
    assert report.healthy is True
    assert "leaf-1:eth1 is unplugged" in report.notes[0]
    lab.links_down.add(frozenset({"leaf-1", "spine-1"}))
    (cause,) = verify_live(site.context, LAB).causes
    assert (cause.kind, cause.unplugged) == (CauseKind.LINK_DOWN, ("leaf-1:eth1",))
