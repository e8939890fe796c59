"""A lab moved between two hosts that share nothing, and going on there as if nothing had been.

Two libvirtd with network and mount namespaces of their own, and two folders of labctl's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.archives import snapshot
from harness.libvirtd import private_libvirtd
from labctl.model.paths import Home
from labctl.ops.context import Context

from .conftest import Labctl, identity

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(900)]

LAB = "moving"
TOPOLOGY = f"""\
lab: {LAB}
nodes:
  a: {{role: host}}
  b: {{role: host}}
links:
  - [a:eth1, b:eth1]
"""
BOOT_ID = "/proc/sys/kernel/random/boot_id"
ADDRESSES = {"a": "192.0.2.1", "b": "192.0.2.2"}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labctl]:
    """The other host, without an image in its store."""
    home = Home(tmp_path_factory.mktemp("other"))
    home.folder.chmod(0o755)
    with private_libvirtd() as daemon:
        yield Labctl(home, daemon.uri)


@pytest.fixture(scope="module")
def lab(labctl: Labctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labctl]:
    """Two hosts that ping each other, with marks in memory and on a disk."""
    path = tmp_path_factory.mktemp("moving") / "moving.yaml"
    path.write_text(TOPOLOGY)
    try:
        labctl("up", str(path))
        for node, address in ADDRESSES.items():
            labctl.shell(LAB, node, f"ip address add {address}/24 dev eth1")
        labctl.shell(LAB, "a", "mount -t tmpfs none /mnt && echo in memory >/mnt/mark")
        labctl.shell(LAB, "a", "echo on disk >/etc/mark && sync")
        pinging = f"ping -i 0.2 {ADDRESSES['b']} >/tmp/pings 2>&1 </dev/null &"
        labctl.shell(LAB, "a", pinging)
        yield labctl
    finally:
        labctl("destroy", LAB, "--yes")


@dataclass(frozen=True)
class Archive:
    file: Path
    uptimes: Mapping[str, float]
    boots: Mapping[str, str]
    """Of the nodes, just before the snapshot; a kernel makes up its boot's id when first asked."""


@pytest.fixture(scope="module")
def archive(lab: Labctl, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    file = tmp_path_factory.mktemp("archive") / "moving.tgz"
    uptimes = {node: uptime(lab, node) for node in ADDRESSES}
    boots = {node: told(lab, node, BOOT_ID) for node in ADDRESSES}
    with closing(lab.hypervisor()) as hypervisor:
        snapshot(Context(lab.home, lab.uri, lambda _: hypervisor), hypervisor, LAB, "moved")
    lab("export", LAB, str(file), "--snapshot", "moved", "--with-images")
    return Archive(file, uptimes, boots)


def told(host: Labctl, node: str, file: str) -> str:
    return host.shell(LAB, node, f"cat {file}")


def uptime(host: Labctl, node: str) -> float:
    """Seconds its kernel counts, which a machine's halt doesn't."""
    return float(told(host, node, "/proc/uptime").split()[0])


def identities(host: Labctl) -> Mapping[str, Mapping[str, object]]:
    with closing(host.hypervisor()) as hypervisor:
        return {
            node: {k: v for k, v in identity(hypervisor, f"{LAB}.{node}").items() if k != "udp"}
            for node in ADDRESSES
        }


def test_it_goes_on_at_the_other_host(lab: Labctl, other: Labctl, archive: Archive) -> None:
    assert "goes on from snapshot moved" in other("import-lab", str(archive.file))
    assert identities(other) == identities(lab)
    assert told(other, "a", "/mnt/mark /etc/mark") == "in memory\non disk\n"
    for node in ADDRESSES:
        assert told(other, node, BOOT_ID) == archive.boots[node]
        assert uptime(other, node) > archive.uptimes[node]
    other.shell(LAB, "a", f"ping -c 3 {ADDRESSES['b']}")
    assert other.json("plan", LAB)["actions"] == []


def test_what_ran_at_the_snapshot_runs_on(other: Labctl) -> None:
    count = "grep -c 'bytes from' /tmp/pings"
    seen = int(other.shell(LAB, "a", count))
    other.shell(LAB, "a", f"until [ $({count}) -gt {seen} ]; do sleep 0.2; done")


def test_both_labs_run_and_share_nothing(lab: Labctl, other: Labctl) -> None:
    lab.shell(LAB, "a", "echo another >/mnt/mark")
    assert told(other, "a", "/mnt/mark") == "in memory\n"
    assert set(lab.machines()) == set(other.machines()) == {f"{LAB}.a", f"{LAB}.b"}
    assert not set(lab.machines().values()) & set(other.machines().values())


def test_it_is_refused_where_it_is_already(other: Labctl, archive: Archive) -> None:
    other("import-lab", str(archive.file), expect=2)
    other("destroy", LAB, "--yes")
    assert other.machines() == {}
