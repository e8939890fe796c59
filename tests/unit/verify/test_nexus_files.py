"""Saved outputs of Nexus switches: names with and without `| json`, parts, the command line."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.intents import PLATFORMS, intent_of
from harness.nexus_recording import FOLDER, recording
from harness.simulated_nexus import NexusSimulation
from labctl.cli.main import main
from labctl.model.intent import Intent
from labctl.verify.checks import checks
from labctl.verify.evidence import Evidence
from labctl.verify.files import read_evidence
from labctl.verify.model import CauseKind, CheckKind, Status, VerifyReport

TOPOLOGY = FOLDER.parent / "topology.yaml"
BROKEN: dict[str, tuple[dict[str, Any], CauseKind]] = {
    "unreflected": ({"not_reflecting": {"spine-1", "spine-2"}}, CauseKind.NOT_REFLECTING),
    "silent": ({"not_advertising": {"leaf-2"}}, CauseKind.NOT_ADVERTISING),
    "mismatch": ({"targets": {("leaf-2", 10010): "65000:99999"}}, CauseKind.RT_MISMATCH),
    "vni": ({"vnis_down": {("leaf-2", 10010)}}, CauseKind.VNI_DOWN),
    "shut": ({"shut": {("leaf-2", "spine-1")}}, CauseKind.SESSION_SHUT),
}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCTL_HOME", str(tmp_path / "home"))


@cache
def intent() -> Intent:
    return intent_of(TOPOLOGY.read_text())


def test_the_recording_is_what_its_builder_writes() -> None:
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == recording()


def test_the_recording_is_healthy_by_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(TOPOLOGY), "--from", str(FOLDER), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["healthy"], report["notes"], report["causes"]) == (True, [], [])


def test_a_node_with_too_little_memory_is_named_by_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / "leaf-1__show_version_json.json").write_text('{"memory": "4002196"}')
    assert main(["verify", str(TOPOLOGY), "--from", str(tmp_path)]) == 9
    out = capsys.readouterr().out
    assert "leaf-1 is short of memory: 3908 MiB" in out
    assert "routes may be dropped while sessions stay Established" in out


def tunnels(evidence: Evidence) -> set[str]:
    """The nodes whose tunnels were checked and are well."""
    found = checks(intent(), evidence, PLATFORMS).checks
    return {c.node for c in found if c.kind is CheckKind.TUNNELS and c.status is Status.PASS}


@pytest.mark.parametrize(
    "name",
    [
        "leaf-1__show_nve_peers_json.json",
        "leaf-1__show_nve_peers.json",
        "leaf-1__show_nve_peers.txt",
        "leaf-1__show_nve_peers_json_native.json",
        "leaf-1__show_nve_peers_detail_json.json",
    ],
)
def test_an_output_is_found_whatever_its_file_says_of_json(tmp_path: Path, name: str) -> None:
    shutil.copy(FOLDER / "leaf-1__show_nve_peers_json.json", tmp_path / name)
    evidence = read_evidence(tmp_path, intent().nodes)
    assert evidence.notes == ()
    passed = {
        c.kind for c in checks(intent(), evidence, PLATFORMS).checks if c.status is Status.PASS
    }
    assert CheckKind.TUNNELS in passed


def test_text_stands_in_for_json_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "leaf-2__show_nve_peers_json.json").write_text("% Invalid command\n")
    shutil.copy(FOLDER / "leaf-2__show_nve_peers.txt", tmp_path)
    report = checks(intent(), read_evidence(tmp_path, intent().nodes), PLATFORMS)
    assert [
        c.node for c in report.checks if c.kind is CheckKind.TUNNELS and c.status is Status.PASS
    ]


def test_the_table_of_routes_alone_tells_which_vteps_a_vni_knows(tmp_path: Path) -> None:
    (tmp_path / "leaf-1__show_nve_vni.txt").write_text(
        "Interface VNI      Multicast-group   State Mode Type [BD/VRF]      Flags\n"
        "nve1      10010    UnicastBGP        Up    CP   L2 [10]\n"
    )
    (tmp_path / "leaf-1__show_bgp_l2vpn_evpn.txt").write_text(
        "BGP routing table information for VRF default, address family L2VPN EVPN\n"
        "Route Distinguisher: 10.0.0.11:32777    (L2VNI 10010)\n"
        "*>i[3]:[0]:[32]:[10.0.1.12]/88\n"
        "                      10.0.1.12                         100          0 i\n"
        "*>l[3]:[0]:[32]:[10.0.1.11]/88\n"
        "                      10.0.1.11                         100      32768 i\n"
    )
    report = checks(intent(), read_evidence(tmp_path, intent().nodes), PLATFORMS)
    seen = {c.kind: c.status for c in report.checks if c.vni == 10010 and c.node == "leaf-1"}
    assert (seen[CheckKind.VTEP_SET], seen[CheckKind.TYPE3]) == (Status.PASS, Status.PASS)


@cache
def outputs(state: str, *, text: bool) -> Evidence:
    fault = BROKEN[state][0] if state in BROKEN else {}
    return NexusSimulation(intent(), text=text, **fault).evidence()


def part(state: str, data: st.DataObject) -> VerifyReport:
    whole = outputs(state, text=data.draw(st.booleans())).outputs
    kept = data.draw(st.sets(st.sampled_from(sorted(whole))))
    return checks(intent(), Evidence({key: whole[key] for key in kept}), PLATFORMS)


@given(data=st.data())
def test_no_part_of_a_healthy_recording_raises_an_alarm(data: st.DataObject) -> None:
    assert part("healthy", data).causes == ()


@pytest.mark.parametrize("state", BROKEN)
@given(data=st.data())
def test_no_part_of_a_broken_one_is_called_healthy(state: str, data: st.DataObject) -> None:
    assert part(state, data).healthy is not True


@pytest.mark.parametrize("state", BROKEN)
@pytest.mark.parametrize("text", [False, True], ids=["json", "text"])
def test_a_broken_one_as_a_whole_has_its_cause(state: str, *, text: bool) -> None:
    report = checks(intent(), outputs(state, text=text), PLATFORMS)
    assert [cause.kind for cause in report.causes] == [BROKEN[state][1]]
