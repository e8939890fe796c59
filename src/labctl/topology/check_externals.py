"""Are the routers outside the fabric sound: a border's free port, addresses that meet."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.fabric.wiring import link_kind
from labctl.model.intent import LinkKind
from labctl.model.role import Role
from labctl.topology.document import Document, Path
from labctl.topology.expand import Draft, may_exist
from labctl.topology.schema import ExternalShape, TopologyFile, VrfShape

_PAIR = 31
"""Prefix length of a subnet of two addresses, which has neither network nor broadcast address."""


def check_externals(file: TopologyFile, draft: Draft, document: Document) -> None:
    """Report what is wrong with the tenants' `external:`."""
    used: dict[tuple[str, str, int], Path] = {}
    for path, vrf, external in _externals(file):
        if _check_node(path, external, draft, document):
            _check_port(path, external, draft, document)
        _check_addresses(path, external, document)
        _check_subnet(path, vrf, external, document)
        if external.asn == file.fabric.overlay.asn and not document.is_guess((*path, "asn")):
            message = f"AS {external.asn} is the fabric's own; the session is eBGP"
            document.report((*path, "asn"), message)
        key = (external.node, external.interface, external.vlan)
        if key in used:
            message = f"VLAN {external.vlan} on {external.node}:{external.interface} is used twice"
            hint = f"first used in {document.where(used[key])}"
            document.report((*path, "vlan"), message, hint)
        used.setdefault(key, path)


def _externals(file: TopologyFile) -> Iterator[tuple[Path, VrfShape, ExternalShape]]:
    for n, vrf in enumerate(file.fabric.vrfs or ()):
        for m, external in enumerate(vrf.external or ()):
            yield ("fabric", "vrfs", n, "external", m), vrf, external


def _check_node(path: Path, external: ExternalShape, draft: Draft, document: Document) -> bool:
    """Whether the node is there; a border, and a Nexus, too."""
    at: Path = (*path, "node")
    node = draft.nodes.get(external.node)
    if node is None:
        if external.node not in draft.unusable and not may_exist(external.node, document):
            borders = [name for name, n in draft.nodes.items() if n.role is Role.BORDER]
            hint = document.suggest(external.node, borders)
            document.report(at, f"there is no node {external.node!r}", hint)
        return False
    if node.role is not Role.BORDER:
        message = f"{node.name} is a {node.role}; borders speak to routers outside the fabric"
        document.report(at, message)
    elif node.platform.device != "nxos" and node.name not in draft.guessed_platform:
        message = f"platform {node.platform.name} can't speak to routers outside the fabric"
        document.report(at, message)
    return node.name not in draft.guessed_platform


def _check_port(path: Path, external: ExternalShape, draft: Draft, document: Document) -> None:
    """The port is one of the platform's, and carries nothing of the fabric."""
    node, at = draft.nodes[external.node], (*path, "interface")
    ports = node.platform.interfaces
    if ports.number(external.interface) is None:
        message = f"platform {node.platform.name} has no port {external.interface!r}"
        span = f"its ports are {ports.name(1)} to {ports.name(ports.maximum)}"
        document.report(at, message, span)
    for link in draft.links:
        for end in (link.a, link.b):
            if (end.node, end.interface) == (node.name, external.interface):
                kind = link_kind(draft.nodes[link.a.node].role, draft.nodes[link.b.node].role)
                if kind is not LinkKind.EXTRA:
                    document.report(at, f"port {end} is a {kind} link's: {link}")


def _check_addresses(path: Path, external: ExternalShape, document: Document) -> None:
    """Both ends are hosts of one subnet."""
    own, far = external.address, external.neighbor
    subnet = own.network
    if any(document.is_guess((*path, key)) for key in ("address", "neighbor")):
        return
    if far not in subnet:
        document.report((*path, "neighbor"), f"{far} is not in {subnet}, the border's subnet there")
    elif far == own.ip:
        document.report((*path, "neighbor"), f"{far} is the border's own address")
    if subnet.prefixlen < _PAIR:
        for key, address in (("address", own.ip), ("neighbor", far)):
            if address in (subnet.network_address, subnet.broadcast_address):
                message = f"{address} is the network or broadcast address of {subnet}"
                document.report((*path, key), message)


def _check_subnet(path: Path, vrf: VrfShape, external: ExternalShape, document: Document) -> None:
    """It is none of the tenant's own networks."""
    for network in vrf.networks or ():
        if network.gateway.network.overlaps(external.address.network):
            message = f"{external.address.network} overlaps the subnet of {network.name!r}"
            document.report((*path, "address"), message, str(network.gateway.network))
