"""Nexus machines of any width, by way of a topology: one spine, one leaf, one wire."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from labctl.fabric.intent import build
from labctl.model.intent import Intent
from labctl.model.paths import Home
from labctl.model.platform import Firmware
from labctl.model.site import ImageRef, Site
from labctl.plan.ports import allocate
from labctl.render.domain import domain_xml, udp_ports
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()
NEXUS = PLATFORMS["nxosv9k"]
LAB = "wide"
ROM = Firmware("rom", "/usr/share/ovmf/OVMF.fd")
SIZES = {
    "9000v-2-nics": ("nxosv9k-7.0.3.I7.4", 1),
    "9300v-65-nics": ("nexus9300v.9.3.13", 64),
    "9500v-129-nics": ("nexus9500v64.10.5.5.M", 128),
}
"""Name -> image, highest wired port: the smallest, all of a 9300v, all that PCI slots hold."""


def intent(image: str, port: int, extra: str = "") -> Intent:
    """A lab whose `leaf-1` is wired at data port `port` alone; `extra` are further lines."""
    text = (
        f"lab: {LAB}\nplatform: nxosv9k\nimage: {image}\n{extra}"
        "nodes: {spine-1: {role: spine}, leaf-1: {role: leaf}}\n"
        f"links: [[spine-1:Ethernet1/1, leaf-1:{NEXUS.interfaces.name(port)}]]\n"
    )
    lab = load(text, source="wide.yaml", platforms=PLATFORMS)
    return build(lab, PLATFORMS, management_subnet=IPv4Network("198.18.7.0/24"))


def leaf_xml(
    image: str, port: int, *, virt_type: str = "qemu", home: str = "/lab", firmware: Firmware = ROM
) -> str:
    """leaf-1's machine, on the network of libvirt's own tests: none."""
    lab = intent(image, port)
    node = lab.nodes["leaf-1"]
    links = allocate(lab.lab.links, lab=LAB, existing={}, taken=frozenset())
    site = Site(virt_type, "", Home(Path(home)), "user", {NEXUS.name: firmware})
    golden = ImageRef(Path(home) / "golden.qcow2", "ab" * 32)
    return domain_xml(LAB, node, NEXUS, site=site, ports=udp_ports(node, links), image=golden)
