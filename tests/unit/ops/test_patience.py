"""How long a fabric is waited for: until healthy, or until only somebody's hand can mend it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.intents import PLATFORMS, fabric_of
from harness.known_faults import LINK, OTHER_LINK, WEB
from harness.simulated import Simulation
from harness.simulated_nexus import NexusSimulation
from labctl.ops.events import Converging
from labctl.ops.patience import LASTING_SECONDS, Patience
from labctl.verify.checks import checks
from labctl.verify.model import VerifyReport

SHUT: dict[str, Any] = {"shut": {("leaf-1", "spine-1")}}
LONG = 100.0


def report(fault: dict[str, Any], *, nexus: bool = False) -> VerifyReport:
    family, platform = (NexusSimulation, "nxosv9k") if nexus else (Simulation, "frr")
    simulation = family(fabric_of(platform=platform), **fault)
    return checks(simulation.intent, simulation.evidence(), PLATFORMS)


def ends(first: VerifyReport, then: VerifyReport, after: float) -> bool:
    patience = Patience(fabric_of())
    assert not patience.is_over(first, 1.0)
    return patience.is_over(then, 1.0 + after)


@pytest.mark.parametrize(
    "fault",
    [
        SHUT,
        {"not_configured": {("spine-1", "leaf-1")}},
        {"targets": {("leaf-2", WEB): "65000:99999"}},
        {"links_down": {LINK}, "down": {LINK}, "unplugged": frozenset({"leaf-1:eth1"})},
        {"hosts_down": {"host-2"}, "unplugged": frozenset({"host-2:eth1"})},
    ],
)
def test_what_somebody_must_mend_is_not_waited_for(fault: dict[str, Any]) -> None:
    found = report(fault)
    assert ends(found, found, LASTING_SECONDS)
    assert not ends(found, found, LASTING_SECONDS - 0.1)


@pytest.mark.parametrize(
    "fault",
    [
        {"boot_unset": {"leaf-2"}},
        {"suppress_arp": {"leaf-2"}},
        {"groups": {("leaf-2", WEB): "239.1.0.10"}},
        {"prefix_limit": {("leaf-1", "spine-1")}},
    ],
)
def test_nor_is_what_only_a_switch_tells_of(fault: dict[str, Any]) -> None:
    found = report(fault, nexus=True)
    assert ends(found, found, LASTING_SECONDS)


def test_nor_is_memory_the_file_does_not_give() -> None:
    extra = "nodes: {leaf-2: {memory: 4 GiB, allow_undersized: true}}"
    intent = fabric_of(platform="nxosv9k", extra=extra)
    found = checks(intent, NexusSimulation(intent).evidence(), PLATFORMS)
    patience = Patience(intent)
    assert not patience.is_over(found, 1.0)
    assert patience.is_over(found, 1.0 + LASTING_SECONDS)


@pytest.mark.parametrize(
    "fault",
    [
        {"free_memory": {"leaf-2": 5000}},
        {"unreachable": {"leaf-2": "booting"}},
        {"dead_daemons": {"leaf-2": "bgpd"}},
        {"links_down": {LINK}},
        {"links_down": {LINK, OTHER_LINK}, "down": {LINK, OTHER_LINK}},
        {"down": {LINK}},
        {"not_advertising": {"leaf-2"}},
        {"vnis_down": {("leaf-2", WEB)}},
        {"no_type5": {"leaf-2"}},
        {"no_type5": {"leaf-1"}, "unplugged": frozenset({"leaf-1:eth1"})},
        {"hosts_down": {"host-2"}},
    ],
)
def test_what_may_pass_while_a_fabric_comes_up_is_waited_for(fault: dict[str, Any]) -> None:
    found = report(fault)
    assert not ends(found, found, LONG)
    both = report({**fault, "shut": {("leaf-2", "spine-2")}})
    assert not ends(both, both, LONG)


def test_a_cause_that_went_and_came_back_has_not_been_there_all_along() -> None:
    patience = Patience(fabric_of())
    for seconds, fault in ((1.0, SHUT), (5.0, {"down": {LINK}}), (12.0, SHUT)):
        assert not patience.is_over(report(fault), seconds)
    assert patience.is_over(report(SHUT), 22.0)


def test_a_target_guessed_from_missing_vteps_may_be_a_fabric_that_converges() -> None:
    simulation = Simulation(fabric_of(), targets={("leaf-2", WEB): "65000:99999"})
    evidence = simulation.evidence()
    for key in [key for key in evidence.outputs if key[1] == "show_bgp_l2vpn_evpn_vni_json"]:
        del evidence.outputs[key]  # type: ignore[attr-defined]
    found = checks(simulation.intent, evidence, PLATFORMS)
    assert found.causes
    assert not ends(found, found, LONG)


def test_it_is_told_when_the_number_changes_and_now_and_then() -> None:
    patience, few, many = (
        Patience(fabric_of()),
        report(SHUT),
        report({"unreachable": {"leaf-2": ""}}),
    )
    told = [
        patience.news(found, s) for s, found in ((1.0, many), (3.0, many), (5.0, few), (7.0, few))
    ]
    assert [bool(each) for each in told] == [True, False, True, False]
    assert isinstance(told[0], Converging)
    assert told[0].failed > 0
    assert patience.news(few, 24.9) is None
    assert patience.news(few, 25.0) is not None
