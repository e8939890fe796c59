"""Facts of this very machine, against what the machine says in another way."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from labctl.preflight import local

NOBODY = (65534, 65534)


def test_a_bound_udp_port_is_seen() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert port in (local.udp_ports() or ())
    assert port not in (local.udp_ports() or ())


def test_free_room_is_the_file_systems(tmp_path: Path) -> None:
    found = local.storage([tmp_path / "not" / "made" / "yet"], None)
    assert found.problems == ()
    assert 0 < found.free <= os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize


def test_a_folder_qemu_cant_enter_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    home = closed / "home"
    home.mkdir(parents=True)
    closed.chmod(0o750)
    told = f"{closed} can't be entered by QEMU (user id 65534); `chmod o+x` it"
    assert told in local.storage([home], NOBODY).problems
    assert told not in local.storage([home], (os.getuid(), os.getgid())).problems
    assert local.storage([home], (0, 0)).problems == ()
    closed.chmod(0o751)
    assert told not in local.storage([home], NOBODY).problems


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cant_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    (problem,) = local.storage([tmp_path / "home"], None).problems
    assert problem == f"{tmp_path} is not writable"


def test_no_emulator_tells_no_devices(tmp_path: Path) -> None:
    assert local.device_models(str(tmp_path / "qemu")) is None


def test_devices_are_read_off_qemus_list(tmp_path: Path) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text(
        "#!/bin/sh\n"
        "echo 'Network devices:'\n"
        """echo 'name "e1000", bus PCI, alias "e1000-82540em", desc "Intel Gigabit Ethernet"'\n"""
        """echo 'name "virtio-net-pci", bus PCI, alias "virtio-net"'\n"""
    )
    qemu.chmod(0o755)
    assert local.device_models(str(qemu)) == frozenset({"e1000", "virtio-net-pci"})


def test_routes_are_networks_and_interfaces() -> None:
    for route in local.routes() or ():
        assert route.interface in [name for _, name in socket.if_nameindex()]
