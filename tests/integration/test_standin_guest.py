"""The stand-in for a Nexus 9000v, booted by QEMU alone on a Nexus's hardware."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pycdlib
import pytest

from harness.nexus_labs import configs, intent_of
from harness.standin import DAY0, PASSWORD, TOPOLOGY, Talk, leaf, spine
from labctl.model.secret import ADMIN_PASSWORD

BUILD = Path(__file__).resolve().parents[1] / "standin/build"
FIRMWARE = Path("/usr/share/ovmf/OVMF.fd")
BOOT = 300.0  # seconds to a login prompt, on a busy machine
MEMORY = 8192  # MiB; the guest touches little of it
QMP_READY = b'{"execute": "qmp_capabilities"}\n'

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="no qemu-system-x86_64"),
    pytest.mark.skipif(not FIRMWARE.exists(), reason="no OVMF"),
]


class Guest(Talk):
    """A running machine: its serial port, and its monitor."""

    def __init__(self, serial: socket.socket, monitor: socket.socket) -> None:
        super().__init__(serial.fileno())
        self._monitor = monitor
        monitor.sendall(QMP_READY)

    def plug(self, port: int, *, up: bool) -> None:
        """Put the cable of Ethernet1/PORT in, or take it out."""
        arguments = {"name": f"nic{port}", "up": up}
        command = {"execute": "set_link", "arguments": arguments}
        self._monitor.sendall(json.dumps(command).encode() + b"\n")


@contextmanager
def booted(disk: Path, day0: Path | None, wires: Mapping[int, tuple[int, int]]) -> Iterator[Guest]:
    """A machine with cards up to the highest wired port; wires: port -> (own, far) UDP port."""
    command = ["qemu-system-x86_64", "-machine", "pc-i440fx-7.2,accel=tcg", "-m", str(MEMORY)]
    command += ["-smp", "2", "-nodefaults", "-display", "none", "-bios", str(FIRMWARE)]
    command += ["-device", "ahci,id=sata,addr=0x3"]
    command += ["-drive", f"file={disk},if=none,id=disk,format=qcow2"]
    command += ["-device", "ide-hd,drive=disk,bus=sata.0,bootindex=1"]
    if day0:
        command += ["-drive", f"file={day0},if=none,id=cd,media=cdrom,format=raw,readonly=on"]
        command += ["-device", "ide-cd,drive=cd,bus=sata.1"]
    for n in range(max(wires) + 1):
        wire = f"hubport,id=net{n},hubid={n}"
        if n in wires:
            own, far = wires[n]
            wire = f"socket,id=net{n},udp=127.0.0.1:{far},localaddr=127.0.0.1:{own}"
        several = ",multifunction=on" if n % 8 == 0 else ""
        mac = f"0c:00:{wires[max(wires)][0] % 256:02x}:00:00:{n:02x}"
        command += ["-netdev", wire, "-device"]
        command += [
            f"e1000,id=nic{n},netdev=net{n},mac={mac},romfile=,addr={4 + n // 8}.{n % 8}{several}"
        ]
    paths = [disk.with_suffix(f".{name}") for name in ("serial", "monitor")]
    command += ["-serial", f"unix:{paths[0]},server=on,wait=on"]
    command += ["-qmp", f"unix:{paths[1]},server=on,wait=off"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            with connected(paths[0]) as serial, connected(paths[1]) as monitor:
                yield Guest(serial, monitor)
        finally:
            process.kill()


def connected(path: Path) -> socket.socket:
    """A connection to a socket that is about to be there."""
    end = time.monotonic() + 30
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(str(path))
            return client
        except OSError:
            client.close()
            assert time.monotonic() < end, f"{path} never came"
            time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """UDP ports that nobody has."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for found in sockets:
        found.bind(("127.0.0.1", 0))
    numbers = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return numbers


def write_day0(path: Path, config: str) -> Path:
    """An ISO as labctl makes them: level 2, so that the name survives."""
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=2, vol_ident="LABCTL")
    data = config.encode()
    iso.add_fp(io.BytesIO(data), len(data), "/NXOS_CONFIG.TXT;1")
    iso.write(str(path))
    iso.close()
    return path


@pytest.fixture(scope="module")
def image() -> Path:
    built = subprocess.run([BUILD, "--print-path"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(built.stdout.strip())


def overlay(image: Path, path: Path) -> Path:
    backing = ["-F", "qcow2", "-b", str(image)]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, path], check=True)
    return path


def test_two_builds_give_the_same_bytes(image: Path, tmp_path: Path) -> None:
    shutil.copytree(image.parent / "packages", tmp_path / "packages")
    subprocess.run([BUILD, "--force", "--print-path", "--out", tmp_path], check=True)
    digest = hashlib.sha256((tmp_path / "standin.qcow2").read_bytes()).hexdigest()
    assert digest == json.loads(image.with_suffix(".json").read_text())["sha256"]


def test_first_boot_save_and_reload(image: Path, tmp_path: Path) -> None:
    disk = overlay(image, tmp_path / "leaf.qcow2")
    own, far = free_ports(2)
    rendered = configs(intent_of(TOPOLOGY.format(routing="ospf", links="unnumbered")))["leaf-1"]
    day0 = write_day0(tmp_path / "day0.iso", rendered.replace(ADMIN_PASSWORD, PASSWORD))
    with booted(disk, day0, {4: (own, far)}) as guest:
        guest.expect("Loader Version", BOOT)
        said = guest.expect("User Access Verification", BOOT)
        assert "%ASCII-CFG-2-CONF_CONTROL: System ready" in said
        assert not [line for line in said.splitlines() if line.startswith("%")]
        guest.login()
        memory = int(json.loads(guest.run("show version | json"))["memory"])
        assert (
            0.94 * MEMORY * 1024 < memory < MEMORY * 1024
        )  # what the machine has, less the kernel's
        while "Eth1/4" not in guest.run("show interface brief"):
            time.sleep(1)
        assert "Eth1/5" not in guest.run("show interface brief")
        # The script of labctl's applet ran: it saved the boot variable and went away.
        assert guest.run("show logging | include EEM") == ""
        assert "boot nxos bootflash:///" in guest.run("show startup-config")
        assert guest.run("copy running-config startup-config").endswith("Copy complete.")
        guest.send("reload")
        guest.expect("reboot the system")
        guest.send("y")
        guest.expect("Loader Version", BOOT)
        guest.login()
        assert "interface nve1" in guest.run("show startup-config")

    # A power cut after the save, and no medium: all that counts is on the disk.
    with booted(disk, None, {1: (own, far)}) as guest:
        guest.expect("User Access Verification", BOOT)
        guest.login()
        assert "NXOS variable = bootflash:/nxos.7.0.3.I7.4.bin" in guest.run("show boot")


def test_two_of_them_over_a_wire(image: Path, tmp_path: Path) -> None:
    near, far = free_ports(2)
    texts = {"spine": spine(1, 1), "leaf": leaf(1, 1)}
    day0 = {
        name: write_day0(tmp_path / f"{name}.iso", DAY0 + config) for name, config in texts.items()
    }
    disks = {name: overlay(image, tmp_path / f"{name}.qcow2") for name in texts}
    with (
        booted(disks["spine"], day0["spine"], {1: (near, far)}) as spine_1,
        booted(disks["leaf"], day0["leaf"], {1: (far, near)}) as leaf_1,
    ):
        for guest in (spine_1, leaf_1):
            guest.expect("User Access Verification", BOOT)
            guest.login()
        summary = "show bgp l2vpn evpn summary | include 10.0.0.11"
        wait_for(spine_1, "show ip ospf neighbors", "FULL")
        wait_for(spine_1, summary, " 4 ")  # two networks, types 3 and 5
        leaf_1.plug(1, up=False)
        wait_for(spine_1, summary, "Idle")
        wait_for(leaf_1, "show interface brief | include Eth1/1", "down")
        leaf_1.plug(1, up=True)
        wait_for(spine_1, "show ip ospf neighbors", "FULL")


def wait_for(guest: Guest, command: str, text: str) -> None:
    end = time.monotonic() + 60
    while text not in (said := guest.run(command)):
        assert time.monotonic() < end, f"no {text!r} in {command}:\n{said}"
        time.sleep(1)
