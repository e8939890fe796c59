"""verify on a running lab: cables the hypervisor knows of, waiting, consoles, other runs."""

from __future__ import annotations

import pytest

from harness.guests import guests
from harness.intents import PLATFORMS, fabric_of, fabric_text
from harness.simulated import Simulation
from harness.site import Site
from labctl.errors import VerifyFailed
from labctl.ops import awakening, patience, verify
from labctl.ops.context import Context
from labctl.ops.down import down
from labctl.ops.events import Converging, Event, StepDone
from labctl.ops.link import set_link
from labctl.ops.lock import lab_lock
from labctl.ops.verify import verify_live, verify_until_healthy
from labctl.verify.model import CauseKind, Status

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


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(patience, "LASTING_SECONDS", 0.05)


@pytest.mark.usefixtures("hasty")
def test_waiting_is_told_and_ends_where_it_is_of_no_use(lab: Simulation, site: Site) -> None:
    lab.shut.add(("leaf-1", "spine-1"))
    site.events.clear()
    report = verify_live(site.context, LAB, wait=600.0)
    assert [cause.kind for cause in report.causes] == [CauseKind.SESSION_SHUT]
    assert [e.failed for e in site.events if isinstance(e, Converging)] == [
        report.count(Status.FAIL)
    ]
    assert isinstance(site.events[-1], StepDone)
    assert site.events[-1].note.endswith("waiting does not mend it")


def test_agents_of_nodes_from_saved_memory_are_waited_for(
    lab: Simulation, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awakening, "AGENT_SECONDS", 60.0)
    guest, site.fake.guest = site.fake.guest, None

    def comes() -> None:
        site.fake.guest = guest

    site.fake.faults.at("agent_ready", comes, call=8)
    report = verify_until_healthy(
        site.context, site.fake, lab.intent, PLATFORMS, wait=0.0, awakening=list(lab.intent.nodes)
    )
    assert report.healthy is True


@pytest.mark.usefixtures("hasty")
def test_what_may_pass_is_waited_for(lab: Simulation, site: Site) -> None:
    lab.down.add(frozenset({"leaf-1", "spine-1"}))

    def mend(event: Event) -> None:
        if isinstance(event, Converging):
            lab.down.clear()

    context = Context(site.home, None, site.connect, mend)
    assert verify_live(context, LAB, wait=600.0).healthy is True


def test_a_run_at_work_on_the_lab_is_told_beside_what_fails(lab: Simulation, site: Site) -> None:
    lab.unreachable["leaf-2"] = "booting"
    with lab_lock(site.home, LAB, "up lab.yaml"):
        (note,) = verify_live(site.context, LAB).notes
    assert "`labctl up lab.yaml`" in note
    assert verify_live(site.context, LAB).notes == ()


def test_a_lab_that_another_run_is_starting_is_not_to_be_started(site: Site) -> None:
    site.write(fabric_text())
    site.up(wait=False)
    down(site.context, LAB)
    with lab_lock(site.home, LAB, "up lab.yaml"), pytest.raises(VerifyFailed) as caught:
        verify_live(site.context, LAB)
    assert "`labctl up lab.yaml`" in caught.value.resolution
