"""Cables the hypervisor knows to be pulled: named before all guesses, never at the wrong end."""

from __future__ import annotations

from typing import Any

import pytest

from harness.intents import PLATFORMS, fabric_of
from harness.known_faults import LINK, OTHER_LINK, WEB
from harness.simulated import Simulation
from harness.simulated_nexus import NexusSimulation
from labctl.verify.checks import checks
from labctl.verify.model import Cause, CauseKind, Status, VerifyReport

HERE, THERE = "leaf-1:eth1", "spine-1:eth1"


def judge(*unplugged: str, leaves: int = 3, **fault: Any) -> VerifyReport:
    simulation = Simulation(fabric_of(2, leaves), unplugged=frozenset(unplugged), **fault)
    return checks(simulation.intent, simulation.evidence(), PLATFORMS)


def only(report: VerifyReport) -> Cause:
    (cause,) = report.causes
    return cause


@pytest.mark.parametrize("end", [HERE, THERE])
def test_the_end_that_is_pulled_is_the_one_to_plug(end: str) -> None:
    cause = only(judge(end, links_down={LINK}, down={LINK}))
    assert (cause.kind, cause.nodes, cause.unplugged) == (
        CauseKind.LINK_DOWN,
        (end.partition(":")[0],),
        (end,),
    )
    assert cause.resolution == f"plug it: labctl link simulated {end} up"


def test_both_ends_pulled_are_both_to_plug() -> None:
    cause = only(judge(HERE, THERE, links_down={LINK}, down={LINK}))
    assert cause.unplugged == (HERE, THERE)
    assert f"{HERE} up" in cause.resolution
    assert f"{THERE} up" in cause.resolution


@pytest.mark.parametrize(
    "fault",
    [
        {"targets": {("leaf-1", WEB): "65000:99999"}},
        {"no_type5": {"leaf-1"}},
        {"router_macs_missing": {("leaf-1", "leaf-2")}},
        {"not_forwarding": {frozenset({"leaf-1", "leaf-2"})}},
        {"down": {LINK}},
        {"links_down": {LINK}},
    ],
)
@pytest.mark.parametrize("family", [Simulation, NexusSimulation])
def test_what_a_fabric_shows_just_after_the_pull_is_the_cables_doing(
    fault: dict[str, Any], family: type[Simulation]
) -> None:
    nexus = family is NexusSimulation
    end = "leaf-1:Ethernet1/1" if nexus else HERE
    intent = fabric_of(2, 3, platform="nxosv9k" if nexus else "frr")
    simulation = family(intent, unplugged=frozenset({end}), **fault)
    causes = checks(intent, simulation.evidence(), PLATFORMS).causes
    assert (causes[0].kind, causes[0].unplugged) == (CauseKind.LINK_DOWN, (end,))
    told_itself = [CauseKind.RT_MISMATCH] if "targets" in fault else []
    assert [cause.kind for cause in causes[1:]] == told_itself


def test_failures_all_around_a_pulled_cable_are_all_explained_once() -> None:
    report = judge(HERE, links_down={LINK}, down={LINK}, no_type5={"leaf-1"})
    named = [i for cause in report.causes for i in (*cause.evidence, *cause.consequences)]
    assert sorted(named) == sorted(c.id for c in report.checks if c.status is Status.FAIL)
    assert only(report).unplugged == (HERE,)


def test_each_of_two_pulled_cables_is_named() -> None:
    both = {LINK, OTHER_LINK}
    report = judge(HERE, "spine-2:eth1", links_down=both, down=both)
    assert [cause.unplugged for cause in report.causes] == [(HERE,), ("spine-2:eth1",)]


def test_a_cable_does_not_hide_what_it_does_not_cause() -> None:
    report = judge(
        HERE, links_down={LINK}, shut={("leaf-1", "spine-1")}, vnis_down={("leaf-2", WEB)}
    )
    assert [cause.kind for cause in report.causes] == [
        CauseKind.LINK_DOWN,
        CauseKind.SESSION_SHUT,
        CauseKind.VNI_DOWN,
    ]


@pytest.mark.parametrize("end", ["host-2:eth1", "leaf-2:eth3"])
def test_a_hosts_cable_is_named_instead_of_the_host(end: str) -> None:
    cause = only(judge(end, hosts_down={"host-2"}))
    assert (cause.kind, cause.unplugged) == (CauseKind.LINK_DOWN, (end,))


def test_a_pulled_cable_nothing_fails_for_yet_is_a_note() -> None:
    report = judge(HERE)
    assert report.healthy is True
    assert report.causes == ()
    (note,) = report.notes
    assert note.startswith(f"{HERE} is unplugged")
    assert f"labctl link simulated {HERE} up" in note


def test_an_end_a_cause_names_needs_no_note() -> None:
    assert judge(HERE, links_down={LINK}, down={LINK}).notes == ()


@pytest.mark.parametrize(
    ("fault", "ends"),
    [
        ({"links_down": {LINK}}, (HERE, THERE)),
        ({"hosts_down": {"host-2"}}, ("host-2:eth1", "leaf-2")),
    ],
)
def test_where_nobody_knows_the_ends_both_are_advised(
    fault: dict[str, Any], ends: tuple[str, str]
) -> None:
    simulation = Simulation(fabric_of(), **fault)
    cause = only(checks(simulation.intent, simulation.evidence(), PLATFORMS))
    assert all(f"labctl link simulated {end}" in cause.resolution for end in ends)
    assert "labctl status simulated" in cause.resolution


def test_a_link_that_is_plugged_is_not_to_be_plugged() -> None:
    cause = only(judge(links_down={LINK}))
    assert cause.kind is CauseKind.LINK_DOWN
    assert "neither end is unplugged" in cause.resolution


def test_a_wire_of_the_users_own_explains_nothing() -> None:
    intent = fabric_of(extra="links:\n  - [leaf-1:eth9, leaf-2:eth9]\n")
    fault: dict[str, Any] = {"no_type5": {"leaf-1"}, "unplugged": frozenset({"leaf-1:eth9"})}
    report = checks(intent, Simulation(intent, **fault).evidence(), PLATFORMS)
    assert only(report).kind is CauseKind.PREFIXES_MISSING
    assert report.notes[0].startswith("leaf-1:eth9 is unplugged")
