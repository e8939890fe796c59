"""The main job, whole and real: up, verify, change, rebuild, break, heal, down, destroy.

One fabric serves all tests of this file, in order: booting six guests under TCG takes a minute.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from labctl.devices.agent import AgentDevice, Program, Said
from labctl.devices.linux.parse import ping
from labctl.devices.registry import agent_device_for
from labctl.fabric.intent import build
from labctl.hypervisor.api import GuestProgram, Hypervisor
from labctl.ops.load import load_lab
from labctl.topology.platforms import load_platforms
from labctl.verify.collect import plan_commands
from labctl.verify.evidence import Evidence
from labctl.verify.fabric import Fabric

from .conftest import Labctl, example, identity

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(900)]

LAB = f"fabric-{os.getpid()}"
FELT_SECONDS = 60.0
NODES = ("spine-1", "spine-2", "leaf-1", "leaf-2", "host-1", "host-2")


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example("evpn-2x2", tmp_path_factory.mktemp("topology"), LAB)


@pytest.fixture(scope="module")
def first_up(labctl: Labctl, topology: Path) -> Iterator[Any]:
    yield labctl.json("up", str(topology))
    labctl("destroy", LAB, "--yes")


@pytest.fixture
def fabric(labctl: Labctl, first_up: object) -> Labctl:
    return labctl


def qemu_pids(labctl: Labctl) -> dict[str, int]:
    """Node -> process of its QEMU."""
    mine = f"{LAB}."
    return {
        name.removeprefix(mine): pid
        for name, pid in labctl.machines().items()
        if name.startswith(mine)
    }


def causes(labctl: Labctl) -> list[tuple[str, tuple[str, ...]]]:
    report = labctl.json("verify", LAB, expect=(0, 9))
    return [(cause["kind"], tuple(cause["nodes"])) for cause in report["causes"]]


def assert_blamed(labctl: Labctl, kind: str, nodes: tuple[str, ...]) -> None:
    """Verify blames those, once the others have felt it: BGP takes a moment to withdraw routes."""
    end = time.monotonic() + FELT_SECONDS
    while (kind, nodes) not in (found := causes(labctl)):
        assert time.monotonic() < end, found


def test_up_is_healthy(first_up: Any) -> None:
    assert [node["node"] for node in first_up["outcomes"]] == list(NODES)
    assert first_up["verify"]["healthy"] is True
    pings = [c for c in first_up["verify"]["checks"] if c["kind"].startswith("ping")]
    assert {"ping within the network", "ping across networks"} <= {c["kind"] for c in pings}


def test_verify_lists_each_check(fabric: Labctl) -> None:
    report = fabric.json("verify", LAB)
    assert all(check["seen"] for check in report["checks"])
    assert {check["status"] for check in report["checks"]} == {"pass"}


def test_daemons_and_fping_answer_as_vtysh_and_ping_do(fabric: Labctl, topology: Path) -> None:
    lab = load_lab(str(topology), fabric.home)
    platforms = load_platforms()
    intent = build(lab, platforms, management_subnet=None)
    plan = plan_commands(Fabric(intent, Evidence(), platforms))
    with contextlib.closing(fabric.hypervisor()) as hypervisor:
        for node in ("spine-1", "leaf-1", "host-1"):
            device = agent_device_for(intent.nodes[node].node.platform)
            light = answers(hypervisor, node, device.programs(plan[node], plain=False), device)
            plain = answers(hypervisor, node, device.programs(plan[node], plain=True), device)
            assert light.keys() == plain.keys() == set(plan[node])
            for command in plan[node]:
                assert shape(light[command]) == shape(plain[command]), command


def answers(
    hypervisor: Hypervisor, node: str, programs: Sequence[Program], device: AgentDevice
) -> dict[str, str]:
    """What one round of programs says."""
    asked = [GuestProgram(program.argv, program.stdin) for program in programs]
    results = hypervisor.run_together(f"{LAB}.{node}", asked, each=60, deadline=60)
    outputs: dict[str, str] = {}
    for program, done in zip(programs, results, strict=True):
        assert done.returncode == 0, done
        outputs |= device.outputs(program, Said(done.stdout + done.stderr))
    return outputs


def shape(text: str) -> object:
    """What does not change from one moment to the next: JSON's keys, a ping's success."""
    if text.lstrip().startswith(("{", "[")):
        return sorted(key for key in json_keys(json.loads(text)))
    return ping(text).received if "ping" in text or " is " in text else len(text.split("\n"))


def json_keys(value: object) -> Iterator[str]:
    """All keys at all depths."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from json_keys(each)


def test_second_up_has_nothing_to_do(fabric: Labctl, topology: Path) -> None:
    before = qemu_pids(fabric)
    assert "nothing to do" in fabric("up", str(topology))
    assert qemu_pids(fabric) == before
    assert sorted(before) == sorted(NODES)


def test_changed_memory_touches_one_node(fabric: Labctl, topology: Path) -> None:
    before = qemu_pids(fabric)
    text = topology.read_text()
    topology.write_text(text + "\nnodes:\n  leaf-1: {memory: 320 MiB}\n")
    plan = fabric.json("plan", str(topology))
    assert [(a["kind"], a["node"]) for a in plan["actions"]] == [("restart", "leaf-1")]
    assert "memory 256 -> 320 MiB" in plan["actions"][0]["reason"]
    fabric("up", str(topology))
    after = qemu_pids(fabric)
    assert {node for node in NODES if before[node] != after[node]} == {"leaf-1"}


def test_rebuilt_node_is_the_same_node(fabric: Labctl) -> None:
    hypervisor = fabric.hypervisor()
    before = identity(hypervisor, f"{LAB}.leaf-2")
    addresses = fabric.shell(LAB, "leaf-2", "ip -br address")
    fabric.shell(LAB, "leaf-2", "touch /root/mark")
    fabric("rebuild", LAB, "--node", "leaf-2")
    assert identity(hypervisor, f"{LAB}.leaf-2") == before
    assert fabric.shell(LAB, "leaf-2", "ip -br address") == addresses
    assert "gone" in fabric.shell(LAB, "leaf-2", "test -e /root/mark || echo gone")
    hypervisor.close()


BGP = ("configure terminal", "router bgp 65000")
EVPN = (*BGP, "address-family l2vpn evpn")


@pytest.mark.parametrize(
    ("node", "breaking", "healing", "kind", "culprits"),
    [
        pytest.param(
            "spine-1",
            (*EVPN, "no neighbor OVERLAY-CLIENTS route-reflector-client"),
            (*EVPN, "neighbor OVERLAY-CLIENTS route-reflector-client"),
            "established but empty: not reflecting",
            ("spine-1",),
            id="spine without route-reflector-client",
        ),
        pytest.param(
            "leaf-2",
            (*EVPN, "vni 10010", "route-target import 65000:999", "route-target export 65000:999",
             "no route-target import 65000:10010", "no route-target export 65000:10010"),
            (*EVPN, "vni 10010", "route-target import 65000:10010",
             "route-target export 65000:10010", "no route-target import 65000:999",
             "no route-target export 65000:999"),
            "route target mismatch",
            ("leaf-2",),
            id="route target mismatch",
        ),
        pytest.param(
            "leaf-1",
            (*BGP, "neighbor OVERLAY shutdown"),
            (*BGP, "no neighbor OVERLAY shutdown"),
            "session shut down",
            ("leaf-1",),
            id="session shut",
        ),
    ],
)  # fmt: skip
def test_broken_by_hand(
    fabric: Labctl,
    node: str,
    breaking: tuple[str, ...],
    healing: tuple[str, ...],
    kind: str,
    culprits: tuple[str, ...],
) -> None:
    fabric.vtysh(LAB, node, *breaking)
    try:
        assert_blamed(fabric, kind, culprits)
    finally:
        fabric.vtysh(LAB, node, *healing)
    fabric("verify", LAB, "--wait", "120")


def test_stopped_vni(fabric: Labctl) -> None:
    fabric.shell(LAB, "leaf-2", "ip link set vni10010 down")
    try:
        assert_blamed(fabric, "VNI down", ("leaf-2",))
    finally:
        fabric.shell(LAB, "leaf-2", "ip link set vni10010 up")
    fabric("verify", LAB, "--wait", "120")


def test_pulled_cable(fabric: Labctl) -> None:
    fabric("link", LAB, "leaf-1:eth1", "down")
    assert "0" in fabric.shell(LAB, "leaf-1", "cat /sys/class/net/eth1/carrier")
    assert any("leaf-1" in nodes for _, nodes in causes(fabric))
    fabric("link", LAB, "leaf-1:eth1", "up")
    fabric("verify", LAB, "--wait", "120")


def test_save_and_logs(fabric: Labctl, tmp_path: Path) -> None:
    fabric("save", LAB, str(tmp_path))
    assert "router bgp 65000" in (tmp_path / "leaf-1.cfg").read_text()
    assert "labctl-guest: phase ready" in fabric("logs", LAB, "spine-1")


def test_two_labs_side_by_side(fabric: Labctl, topology: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.yaml"
    second.write_text(
        "lab: second\nfabric: {spines: 1, leaves: 1, hosts_per_leaf: 0}\nmanagement: false\n"
    )
    before = qemu_pids(fabric)
    fabric("up", str(second))
    assert {lab["lab"] for lab in fabric.json("status")["labs"]} == {LAB, "second"}
    fabric("destroy", "second", "--yes")
    assert qemu_pids(fabric) == before


def test_down_keeps_the_disks(fabric: Labctl, topology: Path) -> None:
    fabric.shell(LAB, "host-1", "echo kept > /root/mark && sync")
    fabric("down", LAB)
    assert qemu_pids(fabric) == {}
    result = fabric.json("up", str(topology))
    assert {action["kind"] for action in result["plan"]["actions"]} == {"start"}
    assert result["verify"]["healthy"] is True
    assert "kept" in fabric.shell(LAB, "host-1", "cat /root/mark")
