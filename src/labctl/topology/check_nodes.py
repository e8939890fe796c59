"""Does each node fit its role and its platform, and the network names what exists."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labctl.model.lab import Role
from labctl.topology.check_fabric import networks_of
from labctl.topology.document import Document
from labctl.topology.expand import Draft, DraftNode, may_exist
from labctl.topology.schema import NetworkShape, TopologyFile

LONGEST_DEVICE = 15
"""A Linux network device's name, and so a VRF's there, has 15 bytes (IFNAMSIZ - 1)."""
_KERNEL_NAMES = re.compile(
    r"(lo|all|default|mgmt|management|(eth|br|vni|vxlan|vlan|dummy|bond|vrf)[0-9.]*)"
)
"""What guests or their kernel name themselves; `all` and `default` are sysctl's words."""
_FIELDS_OF = {
    "loopback": (Role.SPINE, Role.LEAF, Role.BORDER),
    "vtep": (Role.LEAF, Role.BORDER),
    "asn": (Role.SPINE, Role.LEAF, Role.BORDER),
    "networks": (Role.HOST,),
}


def check_nodes(file: TopologyFile, draft: Draft, document: Document) -> None:
    """Report what is wrong with nodes, one by one, and with names on Linux devices."""
    for node in draft.nodes.values():
        if node.path[0] == "nodes":
            _check_overrides(node, file, draft, document)
    _check_on(file, draft, document)
    _check_names(file, draft, document)


def _check_overrides(node: DraftNode, file: TopologyFile, draft: Draft, document: Document) -> None:
    shape, platform = node.shape, node.platform
    for name, roles in _FIELDS_OF.items():
        if getattr(shape, name) is not None and node.role not in roles:
            document.report((*node.path, name), f"a {node.role} has no {name}", key=True)
    is_sure = node.name not in draft.guessed_platform
    if is_sure and shape.config is not None and platform.device == "linux":
        message = f"platform {platform.name} takes no device configuration"
        document.report((*node.path, "config"), message, key=True)
    _check_asn(node, file, document)


def _check_asn(node: DraftNode, file: TopologyFile, document: Document) -> None:
    """Under OSPF a switch has no AS number of its own."""
    if document.lost(("fabric", "underlay", "routing")):
        return
    if document.lost(("fabric", "overlay", "asn")):
        return
    shape, overlay = node.shape, file.fabric.overlay.asn
    is_ospf = file.fabric.underlay.routing == "ospf"
    if shape.asn is not None and node.role.is_switch and is_ospf and shape.asn != overlay:
        message = f"under ospf all switches speak iBGP in AS {overlay}, not {shape.asn}"
        hint = "change overlay.asn, or use the ebgp underlay"
        document.report((*node.path, "asn"), message, hint)


def _check_on(file: TopologyFile, draft: Draft, document: Document) -> None:
    """Every `on` names leaves or borders, each once."""
    vteps = [node.name for node in draft.nodes.values() if node.role.is_vtep]
    known = set(vteps) | draft.unusable
    for path, network in networks_of(file.fabric):
        seen: set[str] = set()
        for index, name in enumerate(network.on or ()):
            at = (*path, "on", index)
            if name in draft.nodes and name not in known:
                message = f"{name} is a {draft.nodes[name].role}; networks live on leaves"
                document.report(at, message, document.suggest(name, vteps))
            elif name not in known and not may_exist(name, document):
                document.report(at, f"there is no node {name!r}", document.suggest(name, vteps))
            elif name in seen:
                document.report(at, f"{name} is named twice")
            seen.add(name)


def _check_names(file: TopologyFile, draft: Draft, document: Document) -> None:
    """VRF names are device names on FRR, network names are so on Linux hosts."""
    devices = {node.platform.device for node in draft.nodes.values() if node.role.is_switch}
    if "frr" in devices:
        for n, vrf in enumerate(file.fabric.vrfs or ()):
            _check_device_name(("fabric", "vrfs", n, "name"), vrf.name, "VRF", document)
    if any(node.platform.device == "linux" for node in draft.nodes.values()):
        for path, network in networks_of(file.fabric):
            _check_device_name((*path, "name"), network.name, "network", document)


def _check_device_name(
    path: tuple[str | int, ...], name: str, noun: str, document: Document
) -> None:
    if len(name) > LONGEST_DEVICE:
        message = f"{noun} name {name!r} is longer than a Linux device name"
        document.report(path, message, f"{LONGEST_DEVICE} characters at most")
    if _KERNEL_NAMES.fullmatch(name.lower()):
        document.report(path, f"{noun} name {name!r} is one that Linux uses itself")


def carried_by(file: TopologyFile, draft: Draft) -> Mapping[str, list[NetworkShape]]:
    """VTEP name -> the networks it carries, in the file's order."""
    leaves = [node.name for node in draft.nodes.values() if node.role is Role.LEAF]
    carried: dict[str, list[NetworkShape]] = {
        node.name: [] for node in draft.nodes.values() if node.role.is_vtep
    }
    for _, network in networks_of(file.fabric):
        for name in dict.fromkeys(leaves if network.on is None else network.on):
            if name in carried:
                carried[name].append(network)
    return carried
