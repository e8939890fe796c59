"""Recorded show output of a real FRR fabric in ten states, whole and in part."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.intents import PLATFORMS, intent_of
from labctl.model.intent import Intent
from labctl.verify.checks import checks
from labctl.verify.evidence import Evidence
from labctl.verify.files import read_evidence
from labctl.verify.model import CauseKind, Status

RECORDINGS = Path(__file__).parents[2] / "fixtures" / "frr"
HEALTHY = ("healthy", "recovered", "max_prefix")  # FRR 8.4.4 doesn't enforce maximum-prefix here
FAULTY = {
    "no_rr": (CauseKind.NOT_REFLECTING, {"spine1", "spine2"}),
    "no_advertise": (CauseKind.NOT_ADVERTISING, {"leaf2"}),
    "rt_mismatch": (CauseKind.RT_MISMATCH, {"leaf2"}),
    "af_inactive": (CauseKind.SESSION_NOT_CONFIGURED, {"leaf2"}),
    "peer_down": (CauseKind.SESSION_DOWN, {"leaf2"}),
    "rmac_missing": (CauseKind.ROUTER_MAC_MISSING, {"leaf1"}),  # FRR lost it by itself
    "vxlan_down": (CauseKind.VNI_DOWN, {"leaf2"}),
}
SUMMARIES = ("show_bgp_l2vpn_evpn_summary_json", "show_bgp_l2vpn_evpn_summary")
VNIS = ("show_evpn_vni_json", "show_evpn_vni_10010_json")


@cache
def intent() -> Intent:
    return intent_of((RECORDINGS / "topology.yaml").read_text())


@cache
def recorded(state: str) -> Evidence:
    return read_evidence(RECORDINGS / state, intent().nodes)


def part(state: str, nodes: tuple[str, ...], commands: tuple[str, ...]) -> Evidence:
    whole = recorded(state).outputs
    return Evidence({k: text for k, text in whole.items() if k[0] in nodes and k[1] in commands})


def test_all_states_are_there() -> None:
    folders = {path.name for path in RECORDINGS.iterdir() if path.is_dir()}
    assert folders == {*HEALTHY, *FAULTY}


@pytest.mark.parametrize("state", HEALTHY)
def test_a_healthy_state_fails_nothing_but_lacks_the_pings(state: str) -> None:
    report = checks(intent(), recorded(state), PLATFORMS)
    assert [check for check in report.checks if check.status is Status.FAIL] == []
    assert report.count(Status.PASS) > 30
    assert report.healthy is None


@pytest.mark.parametrize(("state", "expected"), FAULTY.items())
def test_a_fault_is_named_with_its_culprit(
    state: str, expected: tuple[CauseKind, set[str]]
) -> None:
    report = checks(intent(), recorded(state), PLATFORMS)
    assert [(cause.kind, set(cause.nodes)) for cause in report.causes] == [expected]


@pytest.mark.parametrize("summary", SUMMARIES)
@pytest.mark.parametrize(
    ("state", "nodes", "kind", "culprits"),
    [
        ("no_rr", ("leaf1",), CauseKind.NOT_REFLECTING, {"spine1", "spine2"}),
        ("no_rr", ("spine1",), CauseKind.NOT_REFLECTING, {"spine1"}),
        ("no_advertise", ("leaf2",), CauseKind.NOT_ADVERTISING, {"leaf2"}),
        ("no_advertise", ("spine1",), CauseKind.NOT_ADVERTISING, {"leaf2"}),
        ("no_advertise", ("leaf1",), CauseKind.VTEP_MISSING, {"leaf2"}),
        ("rt_mismatch", ("leaf1", "leaf2"), CauseKind.RT_MISMATCH, {"leaf1", "leaf2"}),
        ("rt_mismatch", ("leaf1",), CauseKind.RT_MISMATCH, {"leaf1", "leaf2"}),
        ("af_inactive", ("leaf2",), CauseKind.SESSION_NOT_CONFIGURED, {"leaf2"}),
        ("af_inactive", ("spine1",), CauseKind.SESSION_DOWN, {"leaf2"}),
        ("peer_down", ("spine1", "leaf1"), CauseKind.SESSION_DOWN, {"leaf2"}),
        ("peer_down", ("leaf1",), CauseKind.VTEP_MISSING, {"leaf2"}),
        ("vxlan_down", ("leaf1", "leaf2"), CauseKind.VNI_DOWN, {"leaf2"}),
        ("vxlan_down", ("leaf1",), CauseKind.VNI_DOWN, {"leaf2"}),
    ],
)
def test_a_summary_and_the_vnis_of_some_nodes_are_enough(
    state: str, nodes: tuple[str, ...], kind: CauseKind, culprits: set[str], summary: str
) -> None:
    report = checks(intent(), part(state, nodes, (summary, *VNIS)), PLATFORMS)
    assert [(cause.kind, set(cause.nodes)) for cause in report.causes] == [(kind, culprits)]


def test_type3_routes_tell_which_end_has_the_other_route_target() -> None:
    evidence = part(
        "rt_mismatch", ("leaf1",), (*VNIS, "show_bgp_l2vpn_evpn_route_type_multicast_json")
    )
    causes = checks(intent(), evidence, PLATFORMS).causes
    assert [(cause.kind, cause.nodes) for cause in causes] == [(CauseKind.RT_MISMATCH, ("leaf2",))]
    assert "65000:99999" in causes[0].message


@pytest.mark.parametrize("state", FAULTY)
@given(data=st.data())
def test_no_part_of_a_recording_blames_the_innocent_alone(state: str, data: st.DataObject) -> None:
    """Whatever files are missing: a fault is blamed on nobody, or its culprit is among the blamed.

    Where no BGP command is at hand, a spine that reflects nothing can't be told from its leaves.
    """
    whole = recorded(state).outputs
    kept = data.draw(st.sets(st.sampled_from(sorted(whole))))
    report = checks(intent(), Evidence({key: whole[key] for key in kept}), PLATFORMS)
    blamed = {node for cause in report.causes for node in cause.nodes}
    sessions_seen = any("summary" in command for _, command in kept)
    if report.healthy is False and (state != "no_rr" or sessions_seen):
        assert blamed & FAULTY[state][1]
    assert report.healthy is not True


@pytest.mark.parametrize("state", HEALTHY)
@given(data=st.data())
def test_no_part_of_a_healthy_recording_raises_an_alarm(state: str, data: st.DataObject) -> None:
    whole = recorded(state).outputs
    kept = data.draw(st.sets(st.sampled_from(sorted(whole))))
    report = checks(intent(), Evidence({key: whole[key] for key in kept}), PLATFORMS)
    assert report.causes == ()
    assert report.healthy is None
