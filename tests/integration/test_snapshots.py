"""A real fabric taken back to a snapshot: nobody in it notices, and what was broken is whole.

One fabric serves all tests of this file, in order.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Labctl, example

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(900)]

LAB = f"snap-{os.getpid()}"
SWITCHES = ("spine-1", "spine-2", "leaf-1", "leaf-2")
RESTORES = 3
CLOCK_SECONDS = 5.0


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example("evpn-2x2", tmp_path_factory.mktemp("topology"), LAB)


@pytest.fixture(scope="module")
def fabric(labctl: Labctl, topology: Path) -> Iterator[Labctl]:
    """The fabric, with host-1 pinging host-2 for ever, and a snapshot `base` of that."""
    labctl("up", str(topology))
    address = json.loads(labctl.shell(LAB, "host-2", "ip -j -4 addr show scope global"))
    (web,) = {
        info["local"]
        for interface in address
        for info in interface["addr_info"]
        if info["local"].startswith("10.10.10.")
    }
    pinging = f"while sleep 0.2; do ping -c 1 -W 1 {web} >/dev/null && echo yes || echo no; done"
    labctl.shell(LAB, "host-1", f"setsid sh -c '{pinging}' >/tmp/ping 2>&1 </dev/null & exit 0")
    print(labctl("snapshot", "create", LAB, "base"))  # noqa: T201  the skew
    yield labctl
    labctl("destroy", LAB, "--yes")


def dropped(labctl: Labctl) -> dict[tuple[str, str], int]:
    """(Switch, neighbour) -> how often their session dropped, as FRR counts."""
    found = {}
    for switch in SWITCHES:
        told = json.loads(labctl("exec", LAB, "--node", switch, "show bgp neighbors json"))
        for neighbour, words in told.items():
            assert words["bgpState"] == "Established", (switch, neighbour, words["bgpState"])
            found[switch, neighbour] = words["connectionsDropped"]
    return found


def pings(labctl: Labctl) -> int:
    """How many answers host-1 has had."""
    return int(labctl.shell(LAB, "host-1", "sleep 2; grep -c yes /tmp/ping"))


def healthy(labctl: Labctl) -> bool:
    return bool(labctl.json("verify", LAB)["healthy"])


def test_no_session_drops_however_often_it_is_restored(fabric: Labctl) -> None:
    before = dropped(fabric)
    assert len(before) == 8
    answered = pings(fabric)
    for number in range(RESTORES):
        time.sleep(5)  # the present moves on
        words = ["--no-safety", "--yes"] if number else []
        result = fabric.json("snapshot", "restore", LAB, "base", *words)
        print(f"restored in {result['seconds']:.1f} s, {result['resume_skew'] * 1000:.1f} ms apart")  # noqa: T201
        assert healthy(fabric)
        assert len(result["running"]) == 6
        assert result["late_clocks"] == []
        assert dropped(fabric) == before
    time.sleep(15)  # longer than OSPF or BGP would keep quiet about it
    assert dropped(fabric) == before
    assert healthy(fabric)
    assert pings(fabric) > answered


def test_clocks_are_right(fabric: Labctl) -> None:
    for node in ("spine-1", "host-2"):
        assert abs(int(fabric.shell(LAB, node, "date +%s")) - time.time()) < CLOCK_SECONDS


def test_what_was_broken_is_whole_and_broken_again(fabric: Labctl) -> None:
    for leaf in ("leaf-1", "leaf-2"):
        fabric.vtysh(LAB, leaf, "configure terminal", "no router ospf")
    hypervisor = fabric.hypervisor()
    hypervisor.destroy(f"{LAB}.host-2")
    hypervisor.undefine(f"{LAB}.host-2")
    shutil.rmtree(fabric.home.lab(LAB).node("host-2").folder)

    result = fabric.json("snapshot", "restore", LAB, "base")
    assert healthy(fabric)
    assert "router ospf" in fabric("exec", LAB, "--node", "leaf-1", "show running-config")

    fabric("snapshot", "restore", LAB, result["safety"])
    for leaf in ("leaf-1", "leaf-2"):
        assert "router ospf" not in fabric("exec", LAB, "--node", leaf, "show running-config")
    assert hypervisor.domain(f"{LAB}.host-2") is None

    fabric("snapshot", "restore", LAB, "base", "--no-safety", "--yes")
    assert healthy(fabric)
    hypervisor.close()


def test_status_and_up_find_it_in_order(fabric: Labctl, topology: Path) -> None:
    (lab,) = fabric.json("status", LAB)["labs"]
    assert {node["phase"] for node in lab["nodes"]} == {"ready"}
    assert {tuple(node["problems"]) for node in lab["nodes"]} == {()}
    assert "nothing to do" in fabric("up", str(topology))
