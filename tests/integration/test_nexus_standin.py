"""A fabric of stand-ins for Nexus 9000v, led by labctl over real serial consoles.

One fabric serves the tests of the first half, in order; the faults have a lab of their own, a node
for each.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labctl.devices.nxos import boot as nexus_boot
from labctl.devices.nxos import bringup
from labctl.errors import ExitCode, PhaseError
from labctl.hypervisor.connect import connect
from labctl.images.store import ImageStore
from labctl.ops.context import Context
from labctl.ops.destroy import destroy
from labctl.ops.results import NodeOutcome
from labctl.ops.secrets import admin_password
from labctl.ops.up import up
from labctl.topology import platforms

from .conftest import ROOT, Labctl, example, identity

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(1800)]

IMAGE = "nexus-standin"
LAB = f"standin-{os.getpid()}"
FAULTY = f"faulty-{os.getpid()}"
NODES = ("spine-1", "leaf-1", "leaf-2")


@pytest.fixture(scope="module")
def nexus(labctl: Labctl) -> Labctl:
    """labctl with the stand-in's image in its store."""
    built = subprocess.run(
        [ROOT / "tests/standin/build", "--print-path"],
        capture_output=True,
        text=True,
        timeout=1200,
        check=True,
    )
    ImageStore(labctl.home.images).add(Path(built.stdout.strip()), name=IMAGE, source="built")
    return labctl


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example("nexus-standin", tmp_path_factory.mktemp("topology"), LAB)


@pytest.fixture(scope="module")
def first_up(nexus: Labctl, topology: Path) -> Iterator[Any]:
    yield nexus.json("up", str(topology))
    nexus("destroy", LAB, "--yes")


@pytest.fixture
def fabric(nexus: Labctl, first_up: object) -> Labctl:
    return nexus


def log_of(labctl: Labctl, node: str) -> Path:
    return labctl.home.lab(LAB).node(node).console_log


def test_up_leads_every_switch_to_ready_and_the_fabric_is_healthy(first_up: Any) -> None:
    assert sorted(node["node"] for node in first_up["outcomes"]) == sorted(NODES)
    assert [node["error"] for node in first_up["outcomes"]] == [None] * 3
    assert first_up["verify"]["healthy"] is True, first_up["verify"]["summary"]
    kinds = {check["kind"] for check in first_up["verify"]["checks"]}
    assert {"memory", "boot variable", "EVPN session", "VTEP set", "type-5 routes"} <= kinds


def test_replay_of_its_own_console_ends_ready(fabric: Labctl) -> None:
    replayed = fabric.json("replay", str(log_of(fabric, "leaf-1")), "--platform", "nxosv9k")
    assert replayed["ended"] == "ready"
    assert replayed["faults"] == []
    names = [phase["name"] for phase in replayed["phases"]]
    assert names[:2] == ["firmware", "loader"]
    assert names[-5:] == ["login", "ports", "config", "save", "ready"]
    assert "login" in {prompt["kind"] for prompt in replayed["prompts"]}


def test_a_second_up_does_nothing(fabric: Labctl, topology: Path) -> None:
    before = fabric.machines()
    assert "nothing to do" in fabric("up", str(topology))
    assert fabric.machines() == before


def test_commands_and_saved_configurations(fabric: Labctl, tmp_path: Path) -> None:
    assert "not NX-OS" in fabric("exec", LAB, "-n", "leaf-1", "show version")
    fabric("save", LAB, str(tmp_path))
    saved = (tmp_path / "leaf-2.cfg").read_text()
    assert saved.startswith("! labctl: whole configuration of leaf-2")
    assert "member vni 10010" in saved
    for left in ("username admin", "boot nxos", "ip address 19", "!Command"):
        assert left not in saved
    assert admin_password(fabric.home) not in saved


def test_the_password_is_in_no_log_and_in_no_xml(fabric: Labctl) -> None:
    password = admin_password(fabric.home).encode()
    for node in NODES:
        assert password not in log_of(fabric, node).read_bytes()
        medium = fabric.home.lab(LAB).node(node).day0
        assert password in medium.read_bytes()
        assert medium.stat().st_mode & 0o077 == 0
        assert password.decode() not in fabric.hypervisor().xml(f"{LAB}.{node}")


def test_a_pulled_cable_is_found(fabric: Labctl) -> None:
    fabric("link", LAB, "leaf-2:Ethernet1/1", "down")
    end = time.monotonic() + 60  # until the others miss it
    while (report := verified(fabric))["healthy"]:
        assert time.monotonic() < end
    assert any("leaf-2" in cause["nodes"] for cause in report["causes"])
    fabric("link", LAB, "leaf-2:Ethernet1/1", "up")
    assert fabric.json("verify", LAB, "--wait", "120")["healthy"] is True


def verified(labctl: Labctl) -> Any:
    """verify's report, healthy or not."""
    done = subprocess.run(
        [sys.executable, "-m", "labctl", "--connect", labctl.uri, "verify", LAB, "--json"],
        env={**os.environ, "LABCTL_HOME": str(labctl.home.folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return json.loads(done.stdout)


def test_a_reload_by_hand_is_taken_on_and_nothing_is_lost(fabric: Labctl, topology: Path) -> None:
    """The boot variable was kept, so the loader does not stop; `up` logs in and checks again."""
    type_by_hand(fabric, "leaf-1", ["reload", "y"])
    wait_for(log_of(fabric, "leaf-1"), rb"Loader Version", times=2)
    state = {node["node"]: node for node in fabric.json("status", LAB)["labs"][0]["nodes"]}
    assert state["leaf-1"]["phase"] != "ready"
    result = fabric.json("up", str(topology))
    assert [node["node"] for node in result["outcomes"]] == ["leaf-1"]
    assert result["verify"]["healthy"] is True
    state = {node["node"]: node for node in fabric.json("status", LAB)["labs"][0]["nodes"]}
    assert state["leaf-1"]["phase"] == "ready"
    assert b"loader >" not in log_of(fabric, "leaf-1").read_bytes()


def test_a_rebuilt_switch_is_the_same_switch(fabric: Labctl, topology: Path) -> None:
    hypervisor = fabric.hypervisor()
    before = identity(hypervisor, f"{LAB}.leaf-2")
    result = fabric.json("rebuild", str(topology), "--node", "leaf-2")
    assert result["verify"]["healthy"] is True
    assert identity(hypervisor, f"{LAB}.leaf-2") == before
    hypervisor.close()


def test_a_node_starts_from_its_saved_configuration(
    fabric: Labctl, topology: Path, tmp_path: Path
) -> None:
    fabric("save", LAB, str(tmp_path / "saved"))
    file = tmp_path / topology.name
    file.write_text(f"{topology.read_text()}\nnodes: {{leaf-2: {{config: saved/leaf-2.cfg}}}}\n")
    plan = fabric.json("plan", str(file))
    assert [(a["kind"], a["node"]) for a in plan["actions"]] == [("rebuild", "leaf-2")]
    assert fabric.json("up", str(file))["verify"]["healthy"] is True


def type_by_hand(labctl: Labctl, node: str, lines: list[str]) -> None:
    """What a person types after logging in, waiting for the device each time."""
    hypervisor = labctl.hypervisor()
    console = hypervisor.open_console(f"{LAB}.{node}")
    for line in ["", "admin", admin_password(labctl.home), *lines]:
        console.write(line.encode() + b"\r")
        time.sleep(2)
    console.close()
    hypervisor.close()


def wait_for(log: Path, pattern: bytes, *, times: int) -> None:
    end = time.monotonic() + 120
    while len(re.findall(pattern, log.read_bytes())) < times:
        assert time.monotonic() < end, log.read_bytes()[-2000:]
        time.sleep(0.5)


FAULTS = {
    "loader-loop": ("loader loop", "loader"),
    "panic": ("kernel panic", "kernel"),
    "inode-corruption-hang": ("corrupt metadata", "kernel"),
    "memory-cap": ("low memory", ""),
    "config-errors": ("line(s) of its day-0 configuration failed", ""),
    "poap-loop": ("POAP loop", "poap"),
    "weak-password": ("weak password", "setup"),
    "silence": ("stuck with no output", "system"),
    "login-refused": ("login refused", "login"),
    "no-boot-variable": ("boot variable not set", "save"),
}
HARMLESS = ("glued-syslog", "poap")
"""Noise and a question that a boot must get through. The POAP question leads through the wizard,
which wipes the name the day-0 gives, so a stand-in asks it with its day-0 applied before."""


@pytest.fixture(scope="module")
def faulty(nexus: Labctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Outcome by node of a lab with a node for each fault, run with little patience."""
    folder = tmp_path_factory.mktemp("faulty")
    names = [*FAULTS, *HARMLESS]
    nodes = "".join(
        f"  {name}: {{role: leaf, config: '! standin: fault {name}'}}\n" for name in names
    )
    links = "".join(
        f"  - [spine-1:Ethernet1/{n}, {name}:Ethernet1/1]\n" for n, name in enumerate(names, 1)
    )
    file = folder / "faulty.yaml"
    file.write_text(
        f"lab: {FAULTY}\nplatform: nxosv9k\nimage: {IMAGE}\nsoftware: nxosv9k-7.0.3.I7.4\n"
        f"host: {{memory_overcommit: 16}}\n"
        f"nodes:\n  spine-1: {{role: spine}}\n{nodes}links:\n{links}"
    )
    context = Context(nexus.home, nexus.uri, connect)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platforms, "load_platforms", impatient(folder / "platforms"))
        patch.setattr(nexus_boot, "_LOADER_PAUSE", 1.0)
        patch.setattr(nexus_boot, "_POAP_PAUSE", 1.0)
        patch.setattr(bringup, "_BOOT_POLLS", 2)
        yield {outcome.node: outcome for outcome in up(context, str(file), verify=False).outcomes}
        destroy(context, FAULTY)


def impatient(folder: Path) -> Callable[[], object]:
    """Platforms whose phases may take a minute."""
    folder.mkdir()
    for path in platforms.PLATFORM_FOLDER.glob("*.yaml"):
        text = re.sub(r"deadline: [0-9]+", "deadline: 60", path.read_text())
        (folder / path.name).write_text(text)
    return partial(platforms.load_platforms, folder)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_ends_with_its_name_and_phase(
    fault: str, faulty: dict[str, NodeOutcome]
) -> None:
    error = faulty[fault].error
    assert isinstance(error, PhaseError)
    words, phase = FAULTS[fault]
    assert words in error.brief
    assert not phase or error.phase == phase
    late = error.exit_code is ExitCode.DEADLINE
    assert late is (fault == "silence")
    assert error.tail


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_is_no_fault_is_got_through(fault: str, faulty: dict[str, NodeOutcome]) -> None:
    assert faulty[fault].error is None
