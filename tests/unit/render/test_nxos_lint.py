"""The linter of NX-OS lines: what it must refuse, so that its silence means something."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.nexus_labs import config, intent_of
from harness.nxos_lint import lint

TOPOLOGIES = Path(__file__).parents[3] / "topologies"
GOOD = config(intent_of((TOPOLOGIES / "vpc-multicast.yaml").read_text()), "leaf-1")
BORDER = config(intent_of((TOPOLOGIES / "vpc-multicast.yaml").read_text()), "border-1")

WRONG = [
    # words
    ("feature bgp\n", "feature bpg\n", "is no line of top"),
    ("system no poap\n", "no system poap\n", "is no line of top"),
    ("  medium p2p\n", "  medium point-to-point\n", "is no line of ethernet"),
    ("redistribute direct ", "redistribute connected ", "is no line of bgp-vrf-ipv4"),
    ("    rd auto\n", "    rd autos\n", "is no line of evpn-vni"),
    # under the wrong line
    ("router ospf UNDERLAY\n  router-id", "router ospf UNDERLAY\nrouter-id", "is no line of top"),
    ("  host-reachability protocol bgp\n", "  rd auto\n", "is no line of nve"),
    ("    advertise-pip\n", "  advertise-pip\n", "is no line of bgp"),
    ("  vni 50001\n", "    vni 50001\n", "opens nothing"),
    ("  router-id 10.0.0.11\n", "   router-id 10.0.0.11\n", "opens nothing"),
    # values
    ("ip address 10.0.0.11/32", "ip address 10.0.0.300/32", "is no host"),
    ("ip address 10.10.10.1/24 tag", "ip address 10.10.10.1 tag", "is no line of svi"),
    ("vlan 10\n", "vlan 4000\n", "is no vlan"),
    ("vlan 1,10,20", "vlan 20,10", "is no vlans"),
    ("vn-segment 10010", "vn-segment 16777216", "is no vni"),
    ("mcast-group 239.1.0.10", "mcast-group 10.1.0.10", "is no group"),
    ("mtu 9216", "mtu 9300", "is no mtu"),
    ("0000.2222.3333", "00:00:22:22:33:33", "is no line of top"),
    ("hostname leaf-1", "hostname l", "is no name"),
    ("import 65000:10010", "import 4200000000:10010000", "is no rt"),
    # order
    ("feature vpc\n", "", "needs 'feature vpc' before it"),
    ("feature pim\n", "", "needs 'feature pim' before it"),
    ("feature vn-segment-vlan-based\n", "", "needs 'feature vn-segment-vlan-based' before it"),
    ("interface Ethernet1/1\n  description to spine-1 Ethernet1/2\n  no switchport\n",
     "interface Ethernet1/1\n", "needs 'no switchport' before it, under the same line"),
    ("  vrf member tenant-a\n  no ip redirects\n  ip address", "  no ip redirects\n  ip address",
     "needs 'vrf member .*' before it"),
    ("  vn-segment 10020\n", "", "needs 'vn\\\\-segment 10020' before it".replace("\\\\-", "-")),
    ("  vni 50001\n", "", "needs 'vni 50001' before it"),
    (" tag 12345\n  fabric", "\n  fabric", "needs 'ip address .* tag"),
    ("route-map REDIST-CONN permit 10\n  match tag 12345\n", "", "needs 'route-map REDIST"),
    ("interface port-channel106", "interface port-channel107", "needs 'interface port"),
    ("  template peer SPINE\n", "  template peer SPINES\n", "needs 'template peer SPINE'"),
    ("  peer-gateway\n", "", "needs 'peer-gateway' before it"),
]  # fmt: skip


def test_the_good_ones_are_good() -> None:
    assert lint(GOOD) == []
    assert lint(BORDER) == []


@pytest.mark.parametrize(("good", "bad", "fault"), WRONG)
def test_a_wrong_line_is_told(good: str, bad: str, fault: str) -> None:
    assert good in GOOD
    told = lint(GOOD.replace(good, bad, 1))
    assert any(fault in line.replace("\\", "") for line in told), told


def test_a_border_s_wrong_lines_are_told() -> None:
    unencapsulated = BORDER.replace("  vrf member tenant-a\n  ip address 198", "  ip address 198")
    assert any("needs 'vrf member .*'" in line for line in lint(unencapsulated))
    listless = BORDER.replace("ip prefix-list NO-HOST-ROUTES", "ip prefix-list OTHER")
    assert any("prefix-list NO" in line.replace("\\", "") for line in lint(listless))


def test_lines_of_9_2_and_later_are_unknown_to_i7() -> None:
    told = lint(GOOD, "i7")
    unknown = [line.split(": ")[1] for line in told if line.endswith("is unknown to i7")]
    assert unknown == [
        "advertise virtual-rmac", "source-interface hold-down-time 180", "advertise-pip",
    ]  # fmt: skip
