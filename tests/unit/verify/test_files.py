"""Saved show output: good files, odd files, files of somebody else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.intents import PLATFORMS, fabric_of
from harness.simulated import Simulation
from labctl.errors import ExitCode, UsageError
from labctl.report.paint import Paint
from labctl.report.verify import verify_lines
from labctl.verify import files
from labctl.verify.checks import checks
from labctl.verify.evidence import Evidence, slug
from labctl.verify.files import read_evidence
from labctl.verify.model import CauseKind, CheckKind, Status

NODES = {"leaf1", "spine-1"}


def write(folder: Path, **texts: str) -> Evidence:
    for name, text in texts.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text)
    return read_evidence(folder, NODES)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("show bgp l2vpn evpn summary json", "show_bgp_l2vpn_evpn_summary_json"),
        ("show ip route vrf TENANT-A json", "show_ip_route_vrf_TENANT_A_json"),
        ("ping -c 3 10.10.10.12", "ping_c_3_10_10_10_12"),
        ("cat /proc/meminfo", "cat_proc_meminfo"),
        ('vtysh -c "show evpn vni json"', "show_evpn_vni_json"),
    ],
)
def test_commands_as_file_names(command: str, name: str) -> None:
    assert slug(command) == name
    assert slug(name) == name


def test_files_are_found_by_node_and_command(tmp_path: Path) -> None:
    (tmp_path / "spine-1__show_evpn_vni_json.json").write_text("{}")
    evidence = write(
        tmp_path, leaf1__show_evpn_vni_json_json="{}", leaf1__ping_c_1_10_0_0_1_txt="x"
    )
    assert evidence.outputs == {
        ("leaf1", "show_evpn_vni_json"): "{}",
        ("leaf1", "ping_c_1_10_0_0_1"): "x",
        ("spine-1", "show_evpn_vni_json"): "{}",
    }
    assert evidence.notes == ()


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("leaf9__show_evpn_vni_json.json", "no node leaf9"),
        ("README.md", "not a file NODE__COMMAND"),
        ("leaf1_show.json", "not a file NODE__COMMAND"),
        (".leaf1__show_evpn_vni_json.json", "not a file NODE__COMMAND"),
        ("leaf1__show_clock.txt", "does not use"),
    ],
)
def test_what_is_not_used_is_said(tmp_path: Path, name: str, remark: str) -> None:
    (tmp_path / name).write_text("{}")
    assert any(remark in note and name in note for note in read_evidence(tmp_path, NODES).notes)


def test_odd_files_are_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 10)
    (tmp_path / "leaf1__show_evpn_vni_json.json").write_text("x" * 11)
    (tmp_path / "leaf1__show_evpn_vni.txt").mkdir()
    os.mkfifo(tmp_path / "leaf1__show_vrf_vni_json.json")
    (tmp_path / "spine-1__show_evpn_vni.txt").symlink_to(tmp_path / "nowhere")
    evidence = read_evidence(tmp_path, NODES)
    assert evidence.outputs == {}
    assert len(evidence.notes) == 5  # one for each, and that there was nothing of use
    assert any("larger than" in note for note in evidence.notes)


def test_the_first_of_two_files_for_a_command_counts(tmp_path: Path) -> None:
    evidence = write(
        tmp_path, leaf1__show_evpn_vni_json_json="first", leaf1__show_evpn_vni_json_txt="second"
    )
    assert evidence.outputs == {("leaf1", "show_evpn_vni_json"): "first"}
    assert any("second file" in note for note in evidence.notes)


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "leaf1__show_evpn_vni_json.json"
    path.write_bytes(b"\xef\xbb\xbf{}\r\n\xff")
    assert read_evidence(tmp_path, NODES).outputs["leaf1", "show_evpn_vni_json"] == "{}\n�"


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_evidence(tmp_path / "nowhere", NODES)


def test_an_unreadable_file_is_not_checked_with_the_reason(tmp_path: Path) -> None:
    intent = fabric_of()
    (tmp_path / "leaf-1__show_bgp_l2vpn_evpn_summary_json.json").write_text('{"peers": {')
    report = checks(intent, read_evidence(tmp_path, intent.nodes), PLATFORMS)
    mine = [c for c in report.checks if c.node == "leaf-1" and c.kind is CheckKind.SESSION]
    assert {check.status for check in mine} == {Status.NOT_CHECKED}
    assert all("can't be read" in check.seen for check in mine)
    assert report.exit_code is ExitCode.DONE


@pytest.mark.parametrize("suffix", ["json", "txt"])
def test_a_whole_fabric_saved_to_files_is_judged_as_when_live(tmp_path: Path, suffix: str) -> None:
    fault = Simulation(fabric_of(2, 3), targets={("leaf-2", 10010): "65000:99999"})
    for (node, command), text in fault.evidence().outputs.items():
        (tmp_path / f"{node}__{command}.{suffix}").write_text(text)
    saved = checks(fault.intent, read_evidence(tmp_path, fault.intent.nodes), PLATFORMS)
    assert saved == checks(fault.intent, fault.evidence(), PLATFORMS)
    assert [cause.kind for cause in saved.causes] == [CauseKind.RT_MISMATCH]


def test_what_is_missing_is_named_by_the_files_that_would_do(tmp_path: Path) -> None:
    intent = fabric_of(platform="nxosv9k")
    report = checks(intent, read_evidence(tmp_path, intent.nodes), PLATFORMS)
    reasons = {check.seen for check in report.checks if check.node in ("leaf-1", "host-1")}
    for reason in (
        "no file leaf-1__show_version_json.json or leaf-1__show_version.txt",
        "no file leaf-1__show_bgp_evi_VNI.txt or leaf-1__show_bgp_process_vrf_VRF.txt"
        " that can be read",
        "no file host-1__cat_proc_meminfo.txt",
        "no file host-1__ping_c_1_w_3_I_db_10_10_20_1.txt",
    ):
        assert reason in reasons
    assert not [reason for reason in reasons if "`" in reason]


def test_the_files_named_do_what_they_are_named_for(tmp_path: Path) -> None:
    simulation = Simulation(fabric_of())
    for (node, command), text in simulation.evidence().outputs.items():
        (tmp_path / f"{node}__{command}.txt").write_text(text)
    (tmp_path / "leaf-1__show_evpn_vni_json.txt").unlink()
    intent = simulation.intent
    missing = checks(intent, read_evidence(tmp_path, intent.nodes), PLATFORMS)
    named = {c.seen for c in missing.checks if c.status is Status.NOT_CHECKED}
    assert named == {"no file leaf-1__show_evpn_vni_json.json or leaf-1__show_evpn_vni.txt"}
    text = simulation.evidence().outputs["leaf-1", "show_evpn_vni_json"]
    (tmp_path / "leaf-1__show_evpn_vni_json.json").write_text(text)
    assert checks(intent, read_evidence(tmp_path, intent.nodes), PLATFORMS).healthy is True


def test_live_it_is_the_commands_that_are_named() -> None:
    report = checks(fabric_of(platform="nxosv9k"), Evidence(), PLATFORMS)
    reasons = {check.seen for check in report.checks}
    assert "no output of `show version | json` or `show version`" in reasons
    assert "no output of `cat /proc/meminfo`" in reasons


def test_an_output_that_is_no_use_is_named_once(tmp_path: Path) -> None:
    intent = fabric_of(platform="nxosv9k")
    (tmp_path / "leaf-1__show_version.txt").write_text("% Permission denied")
    report = checks(intent, read_evidence(tmp_path, intent.nodes), PLATFORMS)
    (seen,) = [c.seen for c in report.checks if c.kind is CheckKind.MEMORY and c.node == "leaf-1"]
    assert seen.count("can't be read") == 1


def test_a_reason_many_checks_share_is_shown_once_for_each_node(tmp_path: Path) -> None:
    intent = fabric_of(2, 3)
    lines = verify_lines(checks(intent, read_evidence(tmp_path, intent.nodes), PLATFORMS), Paint())
    told = [line.strip() for line in lines if "no file" in line]
    sessions = "no file spine-1__show_bgp_l2vpn_evpn_summary_json.json"
    assert len([line for line in told if sessions in line]) == 2  # of sessions, and of their counts
    at = next(n for n, line in enumerate(lines) if "EVPN sessions are established" in line)
    assert len(lines[at + 1 : at + 6]) == len(set(lines[at + 1 : at + 6]))
