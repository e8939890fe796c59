"""Labs of Nexus switches, as text and rendered: given, or of any shape."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

from hypothesis import strategies as st

from harness.samples import site
from labctl.fabric.intent import build
from labctl.model.intent import Intent
from labctl.model.site import ManagementMode
from labctl.render.day0 import day0
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()
SUBNET = IPv4Network("198.18.7.0/24")
FILE = "nxos_config.txt"
IMAGES = {
    "nxosv9k-7.0.3.I7.4": "i7",
    "nexus9300v.9.3.13": "9.3",
    "nexus9300v64.10.5.5.M": "9.3",
    "some-image": "9.3",
}
"""Image -> the command language its name tells; the newest where it tells none."""

FABRIC = """\
lab: nexus
platform: nxosv9k
image: {image}
fabric:
  spines: 2
  leaves: 3
  borders: 1
  hosts_per_leaf: 1
  vpc: {vpc}
  underlay: {{routing: {routing}, links: {links}}}
  overlay: {{replication: {replication}}}
  vrfs:
    - name: tenant-a
      vni: 50001
      networks:
        - {{name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}}
        - {{name: db, vlan: 20, vni: 10020, gateway: 10.10.20.1/24}}
{more}
"""


def intent_of(text: str) -> Intent:
    """What the nodes of a topology are told."""
    lab = load(text, source="test.yaml", platforms=PLATFORMS)
    return build(lab, PLATFORMS, management_subnet=lab.management.subnet or SUBNET)


def files(intent: Intent, name: str, management: ManagementMode = "nat") -> Mapping[str, str]:
    """The day-0 files of one node."""
    node = intent.nodes[name]
    where = site(management=management)
    return day0(node, intent.lab.fabric, PLATFORMS[node.node.platform], where).files


def config(intent: Intent, name: str, management: ManagementMode = "nat") -> str:
    """A Nexus's configuration."""
    return files(intent, name, management)[FILE]


def configs(intent: Intent) -> dict[str, str]:
    """Every Nexus's configuration, by name of node."""
    nexus = [n for n, node in intent.nodes.items() if node.node.platform == "nxosv9k"]
    return {name: config(intent, name) for name in nexus}


@st.composite
def labs(draw: st.DrawFn) -> str:
    """The text of a topology of Nexus switches, of any shape that load takes."""
    ebgp, vpc = draw(st.booleans()), draw(st.booleans())
    leaves = draw(st.integers(2 if vpc else 1, 5))
    borders = draw(st.integers(0, 2))
    links = "numbered" if ebgp else draw(st.sampled_from(["numbered", "unnumbered"]))
    replication = draw(st.sampled_from(["ingress", "multicast"]))
    asn = draw(st.sampled_from([65000, 70000, 1]))
    lines = [
        "lab: any",
        "platform: nxosv9k",
        f"image: {draw(st.sampled_from(sorted(IMAGES)))}",
        f"management: {'true' if draw(st.booleans()) else 'false'}",
        "fabric:",
        f"  spines: {draw(st.integers(1, 3))}",
        f"  leaves: {leaves}",
        f"  borders: {borders}",
        f"  hosts_per_leaf: {draw(st.integers(0, 2))}",
        f"  vpc: {str(vpc).lower()}",
        f"  underlay: {{routing: {'ebgp' if ebgp else 'ospf'}, links: {links}}}",
        f"  overlay: {{asn: {asn}, replication: {replication}}}",
        "  vrfs:",
        "    - {name: first, vni: 50}",
        *_vrfs(draw, borders, 1 if vpc else leaves),
    ]
    return "\n".join(lines)


def _vrfs(draw: st.DrawFn, borders: int, single: int) -> list[str]:
    """VRFs 2 and on; networks are on all leaves, some on leaf-`single` alone where it is single."""
    lines = []
    for vrf in range(draw(st.integers(0, 3))):
        lines += [f"    - name: vrf-{vrf}", f"      vni: {100 + vrf}", "      networks:"]
        step = draw(st.sampled_from([1, 2]))
        for number in range(draw(st.integers(1, 3))):
            vlan = 10 + 10 * vrf + number * step
            on = f", on: [leaf-{single}]" if single != 1 and draw(st.booleans()) else ""
            lines.append(
                f"        - {{name: n{vrf}-{number}, vlan: {vlan}, vni: {1000 + vlan}, "
                f"gateway: 10.{10 + vrf}.{number}.1/24{on}}}"
            )
        if borders and draw(st.booleans()):
            lines.append(
                f"      external: [{{node: border-1, interface: Ethernet1/40, vlan: {200 + vrf}, "
                f"address: 192.0.2.1/30, neighbor: 192.0.2.2, asn: 64999}}]"
            )
    return lines


def lab(
    image: str = "nexus9300v.9.3.13", *, vpc: bool = False, routing: str = "ospf",
    links: str = "unnumbered", replication: str = "ingress", more: str = "",
) -> str:  # fmt: skip
    """The text of a lab."""
    return FABRIC.format(
        image=image, vpc=str(vpc).lower(), routing=routing, links=links, replication=replication,
        more=more,
    )  # fmt: skip


def section(text: str, head: str) -> list[str]:
    """The lines below `head`, without indentation, up to the next as far out as it is."""
    lines = text.splitlines()
    start = lines.index(head)
    depth = len(head) - len(head.lstrip())
    found = []
    for line in lines[start + 1 :]:
        if len(line) - len(line.lstrip()) <= depth:
            break
        found.append(line.strip())
    return found
