"""Fabrics of Nexus 9000v on paper: the same causes as on FRR, and those only a switch tells of."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from harness.intents import PLATFORMS, fabric_of, intent_of
from harness.known_faults import DB, FAULTS, SPINES, TENANT, WEB
from harness.simulated_nexus import NexusSimulation
from labctl.verify.checks import checks
from labctl.verify.evidence import Evidence
from labctl.verify.model import CauseKind, CheckKind, Status, VerifyReport

TOPOLOGIES = Path(__file__).parents[3] / "topologies"
SHAPES = pytest.mark.parametrize("text", [False, True], ids=["json", "text"])


def judge(fault: dict[str, Any], *, leaves: int = 2, **options: Any) -> VerifyReport:
    intent = fabric_of(2, leaves, platform="nxosv9k")
    simulation = NexusSimulation(intent, **fault, **options)
    return checks(intent, simulation.evidence(), PLATFORMS)


def named(report: VerifyReport) -> list[tuple[CauseKind, set[str]]]:
    return [(cause.kind, set(cause.nodes)) for cause in report.causes]


@SHAPES
@pytest.mark.parametrize(("spines", "leaves", "borders"), [(1, 2, 0), (2, 2, 0), (3, 4, 2)])
def test_a_healthy_fabric_is_healthy_in_every_check(
    spines: int, leaves: int, borders: int, *, text: bool
) -> None:
    intent = fabric_of(spines, leaves, borders=borders, platform="nxosv9k")
    report = checks(intent, NexusSimulation(intent, text=text).evidence(), PLATFORMS)
    assert [check for check in report.checks if check.status is not Status.PASS] == []
    assert report.healthy is True


@SHAPES
@pytest.mark.parametrize("leaves", [2, 3])
@pytest.mark.parametrize(("fault", "kind", "culprits"), FAULTS)
def test_a_fault_has_the_same_cause_and_culprit_as_on_frr(
    fault: dict[str, Any], kind: CauseKind, culprits: Collection[str], leaves: int, *, text: bool
) -> None:
    report = judge(fault, leaves=leaves, text=text)
    assert named(report) == [(kind, set(culprits))]
    failed = {check.id for check in report.checks if check.status is Status.FAIL}
    explained = [i for cause in report.causes for i in (*cause.evidence, *cause.consequences)]
    assert sorted(explained) == sorted(failed)


ALERT = (
    "2026 Jan  1 00:00:00 leaf-2 %PLATFORM-2-MEMORY_ALERT: Memory Status Alert : SEVERE. Usage 91%"
)
STORY = "Memory limit 3.8GB detected. Limiting routing table to 4k routes\n"
OWN_FAULTS: list[tuple[dict[str, Any], CauseKind, Collection[str]]] = [
    ({"kib": {"leaf-2": 4_002_196}}, CauseKind.LOW_MEMORY, {"leaf-2"}),
    ({"alerts": {"spine-1": "SEVERE"}}, CauseKind.LOW_MEMORY, {"spine-1"}),
    ({"route_memory": {"leaf-1": 128}}, CauseKind.LOW_MEMORY, {"leaf-1"}),
    ({"log": {"leaf-2": ALERT}}, CauseKind.LOW_MEMORY, {"leaf-2"}),
    ({"log": {"leaf-2": STORY}}, CauseKind.LOW_MEMORY, {"leaf-2"}),
    ({"boot_unset": {"leaf-2"}}, CauseKind.BOOT_UNSET, {"leaf-2"}),
    ({"nve_down": {"leaf-2"}}, CauseKind.VNI_DOWN, {"leaf-2"}),
    ({"prefix_limit": {("leaf-1", "spine-1")}}, CauseKind.PREFIX_LIMIT, {"leaf-1"}),
    ({"groups": {("leaf-2", WEB): "239.1.0.10"}}, CauseKind.REPLICATION_DIFFERS, {"leaf-2"}),
    (
        {"no_tunnel": {("leaf-1", "leaf-2"), ("leaf-2", "leaf-1")}},
        CauseKind.TUNNEL_DOWN,
        {"leaf-1", "leaf-2"},
    ),
    ({"suppress_arp": {"leaf-2"}}, CauseKind.TCAM_NOT_CARVED, {"leaf-2"}),
]


@SHAPES
@pytest.mark.parametrize("leaves", [2, 3])
@pytest.mark.parametrize(("fault", "kind", "culprits"), OWN_FAULTS)
def test_what_only_a_switch_tells_of_has_its_cause_and_culprit(
    fault: dict[str, Any], kind: CauseKind, culprits: Collection[str], leaves: int, *, text: bool
) -> None:
    report = judge(fault, leaves=leaves, text=text)
    assert named(report) == [(kind, set(culprits))]
    for cause in report.causes:
        assert all(node in cause.message for node in culprits)
        assert not cause.message.startswith(cause.kind.value.partition(":")[0] + ":")


def test_too_little_memory_says_what_comes_of_it() -> None:
    fault = {"kib": {"leaf-2": 4_002_196}, "route_memory": {"leaf-2": 128}}
    (cause,) = judge(fault).causes
    assert "3908 MiB" in cause.message
    assert "u4route-mem 128" in cause.message
    assert "routes may be dropped while sessions stay Established" in cause.message


def test_a_node_given_less_than_its_software_needs_is_short_of_memory_however_well_it_runs() -> (
    None
):
    extra = "nodes: {leaf-2: {memory: 4 GiB, allow_undersized: true}}"
    intent = fabric_of(platform="nxosv9k", extra=extra)
    report = checks(intent, NexusSimulation(intent).evidence(), PLATFORMS)
    assert named(report) == [(CauseKind.LOW_MEMORY, {"leaf-2"})]
    assert "of 4096 MiB; its software needs 8192" in report.causes[0].message


@SHAPES
def test_arp_suppression_that_has_its_tcam_is_well(*, text: bool) -> None:
    report = judge({"suppress_arp": {"leaf-1"}, "carved": {"leaf-1"}}, text=text)
    assert report.healthy is True
    (check,) = [check for check in report.checks if check.kind is CheckKind.TCAM]
    assert (check.node, check.status) == ("leaf-1", Status.PASS)


@SHAPES
@pytest.mark.parametrize("hosts", [0, 1])
@pytest.mark.parametrize("vnis", [[WEB], [WEB, DB], [TENANT], [WEB, TENANT]])
def test_a_leaf_that_imports_otherwise_keeps_fewer_routes_for_it(
    vnis: list[int], hosts: int, *, text: bool
) -> None:
    intent = fabric_of(2, 3, platform="nxosv9k", hosts=hosts)
    imports = {("leaf-2", vni): "65000:99999" for vni in vnis}
    report = checks(
        intent, NexusSimulation(intent, imports=imports, text=text).evidence(), PLATFORMS
    )
    assert named(report) == [(CauseKind.RT_MISMATCH, {"leaf-2"})] * len(vnis)
    short = [c for c in report.checks if c.kind is CheckKind.COUNTS and c.status is Status.FAIL]
    assert short or hosts  # without routes of hosts the counts show it


def test_counts_that_are_shorter_still_are_not_the_imports_doing() -> None:
    intent = fabric_of(2, 3, platform="nxosv9k", hosts=0)
    fault: dict[str, Any] = {"imports": {("leaf-2", WEB): "65000:99999"}, "no_type5": {"leaf-1"}}
    report = checks(intent, NexusSimulation(intent, **fault).evidence(), PLATFORMS)
    assert CauseKind.RT_MISMATCH in [cause.kind for cause in report.causes]
    assert CauseKind.PREFIXES_MISSING in [cause.kind for cause in report.causes]


def test_advice_is_given_in_the_switchs_own_commands() -> None:
    for fault, _, _ in [*FAULTS, *OWN_FAULTS]:
        for cause in judge(fault).causes:
            for word in ("advertise-all-vni", "ip link", "zebra", "FRR"):
                assert word not in cause.message + cause.resolution, cause


@pytest.mark.parametrize(
    ("fault", "kind", "culprits"),
    [
        ({}, None, set()),
        ({"shut": {("leaf-1", "spine-1")}}, CauseKind.SESSION_SHUT, {"leaf-1"}),
        ({"down": {frozenset({"leaf-1", "spine-1"})}}, CauseKind.LINK_DOWN, {"leaf-1", "spine-1"}),
        ({"targets": {("leaf-2", WEB): "65000:99999"}}, CauseKind.RT_MISMATCH, {"leaf-2"}),
    ],
)
def test_ebgp_fabrics_are_judged_alike(
    fault: dict[str, Any], kind: CauseKind | None, culprits: Collection[str]
) -> None:
    intent = fabric_of(2, 3, routing="ebgp", links="numbered", platform="nxosv9k")
    report = checks(intent, NexusSimulation(intent, **fault).evidence(), PLATFORMS)
    assert named(report) == ([(kind, set(culprits))] if kind else [])


def test_nothing_at_hand_is_not_checked_and_no_reason_to_fail() -> None:
    report = checks(fabric_of(platform="nxosv9k"), Evidence(), PLATFORMS)
    assert {check.status for check in report.checks} == {Status.NOT_CHECKED}
    assert report.healthy is None


VPC_FAULTS: list[tuple[dict[str, Any], CauseKind, Collection[str]]] = [
    ({"not_reflecting": SPINES}, CauseKind.NOT_REFLECTING, SPINES),
    ({"not_advertising": {"leaf-2"}}, CauseKind.NOT_ADVERTISING, {"leaf-2"}),
    ({"shut": {("leaf-1", "spine-1")}}, CauseKind.SESSION_SHUT, {"leaf-1"}),
    ({"targets": {("leaf-3", WEB): "65000:99999"}}, CauseKind.RT_MISMATCH, {"leaf-3"}),
    ({"kib": {"leaf-2": 4_002_196}}, CauseKind.LOW_MEMORY, {"leaf-2"}),
]


@SHAPES
def test_pairs_that_share_an_address_are_healthy(*, text: bool) -> None:
    intent = fabric_of(2, 4, platform="nxosv9k", vpc=True)
    report = checks(intent, NexusSimulation(intent, text=text).evidence(), PLATFORMS)
    assert [check for check in report.checks if check.status is Status.FAIL] == []
    assert report.count(Status.PASS) > 150


@SHAPES
@pytest.mark.parametrize(("fault", "kind", "culprits"), VPC_FAULTS)
def test_a_fault_among_pairs_has_its_cause_and_culprit(
    fault: dict[str, Any], kind: CauseKind, culprits: Collection[str], *, text: bool
) -> None:
    intent = fabric_of(2, 4, platform="nxosv9k", vpc=True)
    report = checks(intent, NexusSimulation(intent, text=text, **fault).evidence(), PLATFORMS)
    assert named(report) == [(kind, set(culprits))]


@SHAPES
@pytest.mark.parametrize(
    ("fault", "kind"), [({}, None), ({"shut": {("leaf-2", "spine-1")}}, CauseKind.SESSION_SHUT)]
)
def test_under_multicast_tunnels_stand_for_flood_lists(
    fault: dict[str, Any], kind: CauseKind | None, *, text: bool
) -> None:
    intent = fabric_of(2, 3, platform="nxosv9k", replication="multicast")
    report = checks(intent, NexusSimulation(intent, text=text, **fault).evidence(), PLATFORMS)
    assert named(report) == ([(kind, {"leaf-2"})] if kind else [])
    assert {CheckKind.VTEP_SET, CheckKind.TYPE3}.isdisjoint(c.kind for c in report.checks)
    assert report.healthy is (kind is None)


@SHAPES
@pytest.mark.parametrize("example", ["evpn-nexus-2x4", "ebgp-nexus", "vpc-multicast"])
def test_the_examples_are_judged_in_full(example: str, *, text: bool) -> None:
    intent = intent_of((TOPOLOGIES / f"{example}.yaml").read_text())
    report = checks(intent, NexusSimulation(intent, text=text).evidence(), PLATFORMS)
    assert [check for check in report.checks if check.status is not Status.PASS] == []
