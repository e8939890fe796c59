"""Configurations for the stand-in, and a terminal to talk to it without a machine."""

from __future__ import annotations

import os
import pty
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PASSWORD = "Lab-pass-1"
DEADLINE = 30.0  # seconds for one answer, on a busy machine

DAY0 = f"""\
hostname leaf-1
no password strength-check
username admin password 0 {PASSWORD} role network-admin
no ip domain-lookup
system no poap
boot nxos bootflash:/nxos.7.0.3.I7.4.bin
line console
  exec-timeout 0
  terminal width 511
interface mgmt0
  vrf member management
  ip address 192.0.2.11/24
"""
TOPOLOGY = """\
lab: standin
platform: nxosv9k
image: nxosv9k-7.0.3.I7.4
management: false
fabric:
  spines: 1
  leaves: 2
  hosts_per_leaf: 0
  underlay: {{routing: {routing}, links: {links}}}
  vrfs:
    - name: tenant-a
      vni: 50001
      networks:
        - {{name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}}
        - {{name: db, vlan: 20, vni: 10020, gateway: 10.10.20.1/24}}
"""
"""One spine, two leaves: to be filled with `routing` and `links`."""
_LEAF_PORT = """\
interface Ethernet1/{port}
  no switchport
  mtu 9216
  medium p2p
  ip unnumbered loopback0
  ip ospf network point-to-point
  ip router ospf UNDERLAY area 0.0.0.0
  no shutdown
"""


def spine(number: int, leaves: int) -> str:
    """An iBGP route reflector; port N leads to leaf N."""
    ports = "".join(_LEAF_PORT.format(port=n) for n in range(1, leaves + 1))
    neighbors = "".join(
        f"  neighbor 10.0.0.1{n}\n    inherit peer LEAF\n" for n in range(1, leaves + 1)
    )
    return f"""\
hostname spine-{number}
nv overlay evpn
feature ospf
feature bgp
interface loopback0
  ip address 10.0.0.{number}/32
  ip router ospf UNDERLAY area 0.0.0.0
{ports}router ospf UNDERLAY
  router-id 10.0.0.{number}
router bgp 65000
  router-id 10.0.0.{number}
  address-family l2vpn evpn
    retain route-target all
  template peer LEAF
    remote-as 65000
    update-source loopback0
    address-family l2vpn evpn
      send-community
      send-community extended
      route-reflector-client
{neighbors}"""


def leaf(number: int, spines: int) -> str:
    """Two networks in one VRF, ingress replication; port N leads to spine N."""
    ports = "".join(_LEAF_PORT.format(port=n) for n in range(1, spines + 1))
    neighbors = "".join(
        f"  neighbor 10.0.0.{n}\n    inherit peer SPINE\n" for n in range(1, spines + 1)
    )
    networks = ((10, 10010), (20, 10020))
    vlans = "".join(
        f"vlan {vlan}\n  vn-segment {vni}\n" for vlan, vni in (*networks, (3900, 50001))
    )
    gateways = "".join(
        f"interface Vlan{vlan}\n  no shutdown\n  vrf member TENANT-A\n"
        f"  ip address 10.1.{vlan}.1/24 tag 12345\n  fabric forwarding mode anycast-gateway\n"
        for vlan, _ in networks
    )
    members = "".join(
        f"  member vni {vni}\n    ingress-replication protocol bgp\n" for _, vni in networks
    )
    instances = "".join(
        f"  vni {vni} l2\n    rd auto\n    route-target import auto\n    route-target export auto\n"
        for _, vni in networks
    )
    return f"""\
hostname leaf-{number}
nv overlay evpn
feature ospf
feature bgp
feature interface-vlan
feature vn-segment-vlan-based
feature nv overlay
fabric forwarding anycast-gateway-mac 0000.2222.3333
vlan 1,10,20,3900
{vlans}vrf context TENANT-A
  vni 50001
  rd auto
  address-family ipv4 unicast
    route-target both auto
    route-target both auto evpn
interface loopback0
  ip address 10.0.0.1{number}/32
  ip router ospf UNDERLAY area 0.0.0.0
interface loopback1
  ip address 10.0.1.1{number}/32
  ip router ospf UNDERLAY area 0.0.0.0
{ports}{gateways}interface Vlan3900
  no shutdown
  mtu 9216
  vrf member TENANT-A
  no ip redirects
  ip forward
interface nve1
  no shutdown
  host-reachability protocol bgp
  source-interface loopback1
{members}  member vni 50001 associate-vrf
router ospf UNDERLAY
  router-id 10.0.0.1{number}
route-map REDIST-CONN permit 10
  match tag 12345
router bgp 65000
  router-id 10.0.0.1{number}
  template peer SPINE
    remote-as 65000
    update-source loopback0
    address-family l2vpn evpn
      send-community
      send-community extended
{neighbors}  vrf TENANT-A
    address-family ipv4 unicast
      advertise l2vpn evpn
      redistribute direct route-map REDIST-CONN
evpn
{instances}"""


class Talk:
    """A serial line with the player at the other end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unread = ""
        self.log = ""

    def expect(self, pattern: str, seconds: float = DEADLINE) -> str:
        """Wait for the pattern in what no earlier call has taken; the text up to its end."""
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self._unread)):
            left = end - time.monotonic()
            said = left > 0 and self._read(left)
            assert said, f"no {pattern!r} in:\n{self.log[-3000:]}"
        taken, self._unread = self._unread[: match.end()], self._unread[match.end() :]
        return taken

    def quiet(self, seconds: float) -> bool:
        """Whether nothing is said for so long."""
        return not self._unread and not self._read(seconds)

    def send(self, line: str) -> None:
        """Type a line."""
        self.write(f"{line}\r".encode())

    def write(self, data: bytes) -> None:
        """Type bytes."""
        os.write(self._descriptor, data)

    def read(self, seconds: float) -> bytes:
        """What comes next, as it comes; nothing if nothing does."""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        return os.read(self._descriptor, 4096) if ready else b""

    def run(self, command: str) -> str:
        """Type a command at the exec prompt; what it prints."""
        self.send(command)
        self.expect(re.escape(command) + r"\n")
        return self.expect(r"(?m)^[\w-]+(\([\w-]+\))?# $").rpartition("\n")[0]

    def login(self, password: str = PASSWORD) -> None:
        """From the login prompt to the exec prompt, without a pager."""
        self.expect("login: ")
        self.send("admin")
        self.expect("Password: ")
        self.send(password)
        self.expect(r"# $")
        self.run("terminal length 0")

    def _read(self, seconds: float) -> bool:
        data = self.read(seconds)
        text = data.decode(errors="replace").replace("\r", "")
        self._unread += text
        self.log += text
        return bool(data)


@contextmanager
def playing(
    desk: Path,
    config: str | None = None,
    *,
    scale: float = 0.01,
    number: int = 1,
    wires: Mapping[int, socket.socket] | None = None,
) -> Iterator[Talk]:
    """The player on a pseudo-terminal; `desk` is its disk and its day-0 medium."""
    desk.mkdir(exist_ok=True)
    if config is not None:
        (desk / "NXOS_CONFIG.TXT").write_text(config)
    ours, theirs = pty.openpty()
    cables = {card: cable.fileno() for card, cable in (wires or {}).items()}
    command = [sys.executable, "-m", "standin.player", "--desk", str(desk), "--scale", str(scale)]
    command += ["--number", str(number)]
    command += [word for card, fd in cables.items() for word in ("--wire", f"{card}={fd}")]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, env=environment, pass_fds=list(cables.values())
    ) as player:
        try:
            yield Talk(ours)
        finally:
            player.kill()
            os.close(ours)
            os.close(theirs)
