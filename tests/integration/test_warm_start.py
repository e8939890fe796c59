"""Warm starts with real guests: the same fabric, seconds after it was destroyed, and proved."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from labctl.ops.warm_cache import WarmCache

from .conftest import Labctl, example, identity

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(900)]

LAB = f"warm-{os.getpid()}"
Identities = Mapping[str, Mapping[str, object]]
_HOLD_SECONDS = 31.0
"""More than BGP's hold time: a session that only seems established has fallen by then."""
NODES = ("spine-1", "spine-2", "leaf-1", "leaf-2", "host-1", "host-2")


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example("evpn-2x2", tmp_path_factory.mktemp("topology"), LAB)


@pytest.fixture(scope="module")
def kept(labctl: Labctl, topology: Path) -> Iterator[Identities]:
    """The fabric was up once, and is gone; what its nodes were."""
    first = labctl.json("up", str(topology))
    assert first["warm"] is None
    assert "kept for warm starts" in first["notes"][0]
    hypervisor = labctl.hypervisor()
    known = {node: identity(hypervisor, f"{LAB}.{node}") for node in NODES}
    hypervisor.close()
    labctl("destroy", LAB, "--yes")
    yield known
    labctl("destroy", LAB, "--yes")


def test_the_same_fabric_is_back_without_a_boot(
    labctl: Labctl, topology: Path, kept: Identities
) -> None:
    again = labctl.json("up", str(topology))
    assert again["verify"]["healthy"] is True
    assert sorted(again["warm"]["nodes"]) == sorted(NODES)
    hypervisor = labctl.hypervisor()
    assert {node: identity(hypervisor, f"{LAB}.{node}") for node in NODES} == kept
    hypervisor.close()
    for node in NODES:
        assert "ready" in labctl("logs", LAB, node)
        assert abs(int(labctl.shell(LAB, node, "date +%s").split()[-1]) - time.time()) < 30


def test_a_host_is_rebuilt_warm(labctl: Labctl, kept: Identities) -> None:
    labctl.shell(LAB, "host-1", "touch /changed-by-hand")
    again = labctl.json("rebuild", LAB, "--node", "host-1")
    assert again["warm"]["nodes"] == ["host-1"]
    assert again["verify"]["healthy"] is True
    labctl.shell(LAB, "host-1", "test ! -e /changed-by-hand")


def test_a_switch_is_rebuilt_cold_beside_others_and_stays_whole(
    labctl: Labctl, kept: Identities
) -> None:
    """Its neighbours have forgotten it: put back as it was, it would be alone with its memory."""
    commands = "-c 'configure terminal' -c 'no router ospf'"
    labctl.shell(LAB, "leaf-1", f"vtysh {commands}")
    again = labctl.json("rebuild", LAB, "--node", "leaf-1")
    assert again["warm"] is None
    assert any("leaf-1 boots cold" in note for note in again["notes"])
    assert again["verify"]["healthy"] is True
    time.sleep(_HOLD_SECONDS)
    assert labctl.json("verify", LAB)["healthy"] is True


def test_a_changed_node_boots_beside_the_warm_ones(
    labctl: Labctl, topology: Path, kept: Identities
) -> None:
    labctl("destroy", LAB, "--yes")
    topology.write_text(topology.read_text() + "nodes:\n  leaf-2: {memory: 288 MiB}\n")
    mixed = labctl.json("up", str(topology))
    assert mixed["verify"]["healthy"] is True
    assert sorted(mixed["warm"]["nodes"]) == sorted(set(NODES) - {"leaf-2"})


def test_a_damaged_state_is_dropped_and_booted(
    labctl: Labctl, kept: Identities, topology: Path
) -> None:
    entry = WarmCache(labctl.home).entries(LAB)[0]
    with (entry.folder / "host-1/memory").open("r+b") as file:
        file.truncate(4096)
    again = labctl.json("rebuild", LAB, "--node", "host-1")
    assert again["verify"]["healthy"] is True
    assert again["warm"] is None
    assert any("host-1 boots cold" in note for note in again["notes"])
