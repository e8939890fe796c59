"""One fault put into a healthy fabric: the cause and the culprit named, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from harness.intents import PLATFORMS, fabric_of
from harness.known_faults import FAULTS, LINK, SPINES, WEB
from harness.simulated import Simulation
from labctl.errors import ExitCode
from labctl.verify.checks import checks
from labctl.verify.evidence import Evidence
from labctl.verify.model import CauseKind, Status, VerifyReport


def judge(fault: dict[str, Any], *, leaves: int) -> VerifyReport:
    simulation = Simulation(fabric_of(2, leaves), **fault)
    return checks(simulation.intent, simulation.evidence(), PLATFORMS)


@pytest.mark.parametrize("leaves", [2, 3])
@pytest.mark.parametrize(("fault", "kind", "culprits"), FAULTS)
def test_one_fault_is_one_cause_with_its_culprit(
    fault: dict[str, Any], kind: CauseKind, culprits: Collection[str], leaves: int
) -> None:
    report = judge(fault, leaves=leaves)
    assert [(cause.kind, set(cause.nodes)) for cause in report.causes] == [(kind, set(culprits))]
    assert report.healthy is False
    assert report.exit_code is ExitCode.UNHEALTHY


@pytest.mark.parametrize(("fault", "kind", "culprits"), FAULTS)
def test_every_failed_check_is_evidence_or_consequence_of_one_cause(
    fault: dict[str, Any], kind: CauseKind, culprits: Collection[str]
) -> None:
    report = judge(fault, leaves=3)
    named = [i for cause in report.causes for i in (*cause.evidence, *cause.consequences)]
    failed = {check.id for check in report.checks if check.status is Status.FAIL}
    assert sorted(named) == sorted(failed)


def test_faults_of_different_kinds_are_told_apart() -> None:
    report = judge(
        {
            "free_memory": {"spine-2": 1000},
            "shut": {("leaf-1", "spine-1")},
            "vnis_down": {("leaf-2", WEB)},
        },
        leaves=3,
    )
    assert [(cause.kind, cause.nodes) for cause in report.causes] == [
        (CauseKind.LOW_MEMORY, ("spine-2",)),
        (CauseKind.SESSION_SHUT, ("leaf-1",)),
        (CauseKind.VNI_DOWN, ("leaf-2",)),
    ]


def test_a_cause_says_what_to_do_and_names_its_node() -> None:
    for fault, _, culprits in FAULTS:
        for cause in judge(fault, leaves=2).causes:
            assert all(node in cause.message for node in culprits), cause.message
            assert cause.resolution


@pytest.mark.parametrize("routing", ["ospf", "ebgp"])
@pytest.mark.parametrize(("spines", "leaves", "borders"), [(1, 2, 0), (2, 2, 0), (3, 4, 2)])
def test_a_healthy_fabric_is_healthy_in_every_check(
    routing: str, spines: int, leaves: int, borders: int
) -> None:
    simulation = Simulation(fabric_of(spines, leaves, borders=borders, routing=routing))
    report = checks(simulation.intent, simulation.evidence(), PLATFORMS)
    assert {check.status for check in report.checks} == {Status.PASS}
    assert report.healthy is True
    assert not report.causes
    assert len({check.id for check in report.checks}) == len(report.checks)


@pytest.mark.parametrize(
    ("fault", "kind", "culprits"),
    [
        ({"shut": {("leaf-1", "spine-1")}}, CauseKind.SESSION_SHUT, {"leaf-1"}),
        (
            {"not_configured": {("leaf-1", s) for s in SPINES}},
            CauseKind.SESSION_NOT_CONFIGURED,
            {"leaf-1"},
        ),
        ({"not_reflecting": SPINES}, CauseKind.NOT_REFLECTING, SPINES),
        ({"down": {LINK}}, CauseKind.LINK_DOWN, {"leaf-1", "spine-1"}),
        ({"targets": {("leaf-2", WEB): "65000:99999"}}, CauseKind.RT_MISMATCH, {"leaf-2"}),
    ],
)
def test_ebgp_fabrics_are_judged_alike(
    fault: dict[str, Any], kind: CauseKind, culprits: Collection[str]
) -> None:
    simulation = Simulation(fabric_of(2, 3, routing="ebgp"), **fault)
    report = checks(simulation.intent, simulation.evidence(), PLATFORMS)
    assert [(cause.kind, set(cause.nodes)) for cause in report.causes] == [(kind, set(culprits))]


def test_nothing_at_hand_is_not_checked_and_no_reason_to_fail() -> None:
    report = checks(fabric_of(), Evidence(), PLATFORMS)
    assert {check.status for check in report.checks} == {Status.NOT_CHECKED}
    assert report.healthy is None
    assert report.exit_code is ExitCode.DONE


@pytest.mark.parametrize(("fault", "_kind", "_culprits"), FAULTS)
def test_what_a_cause_is_called_is_said_once(
    fault: dict[str, Any], _kind: CauseKind, _culprits: Collection[str]
) -> None:
    for cause in judge(fault, leaves=2).causes:
        assert not cause.message.startswith(cause.kind.value.partition(":")[0] + ":")


@pytest.mark.parametrize(("fault", "_kind", "_culprits"), FAULTS)
def test_commands_a_cause_gives_name_the_lab(
    fault: dict[str, Any], _kind: CauseKind, _culprits: Collection[str]
) -> None:
    report = judge(fault, leaves=2)
    for cause in report.causes:
        words = cause.resolution.split()
        named = [words[i + 2] for i, word in enumerate(words[:-2]) if word == "labctl"]
        assert set(named) <= {report.lab, "FILE"}
