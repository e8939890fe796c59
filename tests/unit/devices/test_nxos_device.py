"""What is asked of a Nexus, asked again, and cleaned of what it saved."""

from __future__ import annotations

import pytest

from harness.intents import fabric_of
from labctl.devices.nxos.device import Nxos
from labctl.devices.registry import agent_device_for, device_for
from labctl.errors import InternalError
from labctl.model.lab import Routing

SAVED = """\r
!Command: show running-config\r
!Running configuration last done at: Wed Nov  8 14:10:51 2023\r
!Time: Wed Nov  8 15:15:01 2023\r
\r
version 9.3(8) Bios:version  \r
hostname leaf-2\r
vdc leaf-2 id 1\r
  limit-resource vlan minimum 16 maximum 4094\r
  limit-resource u4route-mem minimum 128 maximum 128\r
\r
feature bgp\r
\r
no password strength-check\r
username admin password 5 $5$NGCPHH$N1fbHUo.kENWtpe4  role network-admin\r
username eve password 5 $5$AAAAAA$xxxx  role network-operator\r
copp profile strict\r
snmp-server user admin network-admin auth md5 0x6f1e priv 0x6f1e localizedkey\r
snmp-server community public group network-operator\r
banner motd ^\r
! boot nxos is set by the day-0\r
^\r
\r
vrf context TENANT-A\r
  vni 50001\r
  ip route 0.0.0.0/0 198.51.100.2\r
vrf context management\r
  ip domain-name lab\r
  ip route 0.0.0.0/0 192.0.2.1\r
\r
interface Ethernet1/1\r
  ip address 10.9.0.1/31\r
\r
interface mgmt0\r
  description out of band\r
  vrf member management\r
  ip address 10.0.0.15/24\r
  ipv6 address 2001:db8::15/64\r
line console\r
  exec-timeout 0\r
boot nxos bootflash:/nxos.9.3.8.bin \r
event manager applet LABCTL-BOOT\r
  event syslog pattern "Configured from vty"\r
  action 1.0 cli python bootflash:labctl_boot.py\r
router bgp 65000\r
  router-id 10.0.0.12\r
\r
\r
\r
"""
CLEAN = """hostname leaf-2

feature bgp

no password strength-check
username eve password 5 $5$AAAAAA$xxxx  role network-operator
snmp-server community public group network-operator
banner motd ^
! boot nxos is set by the day-0
^

vrf context TENANT-A
  vni 50001
  ip route 0.0.0.0/0 198.51.100.2
vrf context management
  ip domain-name lab

interface Ethernet1/1
  ip address 10.9.0.1/31

interface mgmt0
  description out of band
  vrf member management
line console
  exec-timeout 0
router bgp 65000
  router-id 10.0.0.12
"""


def test_a_saved_configuration_loses_what_is_the_machines_own() -> None:
    assert Nxos().clean_config(SAVED) == CLEAN
    assert Nxos().clean_config(CLEAN) == CLEAN


@pytest.mark.parametrize("text", ["", "!Command: show running-config\n!Time: Wed Nov  8\n\n"])
def test_nothing_stays_nothing(text: str) -> None:
    assert Nxos().clean_config(text) == ""


def test_spines_are_asked_less_than_vteps_and_all_for_json_first() -> None:
    nodes = fabric_of(platform="nxosv9k").nodes
    spine = Nxos().verify_commands(nodes["spine-1"], Routing.OSPF)
    leaf = Nxos().verify_commands(nodes["leaf-1"], Routing.OSPF)
    assert set(spine) < set(leaf)
    assert "show version | json" in spine
    assert {"show nve vni | json", "show ip route vrf tenant-a | json"} <= set(leaf)
    assert {"show bgp evi 10020", "show bgp process vrf tenant-a"} <= set(leaf)
    assert "show bgp ipv4 unicast summary | json" not in leaf
    assert all("\n" not in command for command in leaf)


@pytest.mark.parametrize(
    ("command", "output", "again"),
    [
        ("show nve peers | json", '{"TABLE_nve_peers": {}}', ""),
        ("show nve peers | json", "% Invalid command at '^' marker.", "show nve peers"),
        ("show nve peers | json", "", "show nve peers"),
        ("show boot", "% Invalid command", ""),
    ],
)
def test_what_prints_no_json_is_asked_for_its_text(command: str, output: str, again: str) -> None:
    assert Nxos().follow_up(command, output) == again


def test_a_nexus_has_no_guest_agent() -> None:
    assert device_for("nxos").config_command == "show running-config"
    with pytest.raises(InternalError, match="guest agent"):
        agent_device_for("nxos")
