"""Is the fabric's own description sound: VLANs, VNIs, gateways, pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from labctl.fabric.addresses import MANAGEMENT_POOL, overlapping
from labctl.topology.document import Document, Path
from labctl.topology.schema import FabricShape, NetworkShape, TopologyFile

_SMALLEST_TENANT = 30
_TWO_BYTES = 65535


def check_fabric(file: TopologyFile, document: Document) -> None:
    """Report what is wrong with `fabric:` and `management:`, nodes aside."""
    fabric = file.fabric
    networks = list(networks_of(fabric))
    vrfs = [(("fabric", "vrfs", n), vrf) for n, vrf in enumerate(fabric.vrfs or ())]
    _unique(document, "VRF", (((*path, "name"), vrf.name) for path, vrf in vrfs))
    _unique(document, "network", (((*path, "name"), net.name) for path, net in networks))
    _unique(document, "VLAN", (((*path, "vlan"), net.vlan) for path, net in networks))
    vnis: list[tuple[Path, int]] = [((*path, "vni"), vrf.vni) for path, vrf in vrfs]
    vnis += [((*path, "vni"), net.vni) for path, net in networks]
    _unique(document, "VNI", vnis)
    _check_route_targets(fabric.overlay.asn, vnis, document)
    for path, network in networks:
        _check_gateway(path, network, document)
    sure = [(path, net) for path, net in networks if not document.is_guess((*path, "gateway"))]
    for number, _ in enumerate(vrfs):
        _check_subnets([n for n in sure if n[0][2] == number], document)
    _check_pools(file, sure, document)


def networks_of(fabric: FabricShape) -> Iterator[tuple[Path, NetworkShape]]:
    """Every network with its path."""
    for n, vrf in enumerate(fabric.vrfs or ()):
        for m, network in enumerate(vrf.networks or ()):
            yield ("fabric", "vrfs", n, "networks", m), network


def _unique(document: Document, noun: str, values: Iterable[tuple[Path, object]]) -> None:
    first: dict[object, Path] = {}
    for path, value in values:
        if document.is_guess(path):
            continue
        if value in first:
            hint = f"first used in {document.where(first[value])}"
            document.report(path, f"{noun} {value} is used twice", hint)
        first.setdefault(value, path)


def _check_route_targets(asn: int, vnis: Iterable[tuple[Path, int]], document: Document) -> None:
    """A route target has 6 bytes (RFC 4360, RFC 5668): a 4-byte ASN leaves 2 for the VNI."""
    if asn <= _TWO_BYTES:
        return
    for path, vni in vnis:
        if vni > _TWO_BYTES:
            message = f"VNI {vni} fits into no route target beside the 4-byte AS number {asn}"
            document.report(path, message, f"use VNIs up to {_TWO_BYTES} or a smaller overlay.asn")


def _check_gateway(path: Path, network: NetworkShape, document: Document) -> None:
    gateway, subnet = network.gateway, network.gateway.network
    at: Path = (*path, "gateway")
    if subnet.prefixlen > _SMALLEST_TENANT:
        message = f"{subnet} is too small for a gateway and hosts"
        document.report(at, message, f"use a prefix length of {_SMALLEST_TENANT} or less")
    elif gateway.ip in (subnet.network_address, subnet.broadcast_address):
        kind = "network" if gateway.ip == subnet.network_address else "broadcast"
        message = f"gateway {gateway.ip} is the {kind} address of {subnet}"
        document.report(at, message, f"the first usable address is {subnet.network_address + 1}")
    elif subnet.prefixlen == 0 or gateway.ip.is_multicast or gateway.ip.is_loopback:
        document.report(at, f"{gateway} can't be a tenant's subnet")


def _check_subnets(networks: list[tuple[Path, NetworkShape]], document: Document) -> None:
    """Networks of one VRF must not overlap; those of different VRFs may."""
    numbered = ((str(n), net.gateway.network) for n, (_, net) in enumerate(networks))
    for one, subnet, other, taken in overlapping(numbered):
        first, second = sorted((int(one), int(other)))
        (early_path, early), (path, late) = networks[first], networks[second]
        message = f"subnet of {late.name!r} overlaps that of {early.name!r} in the same VRF"
        hint = f"{subnet} and {taken}; see {document.where(early_path)}"
        document.report((*path, "gateway"), message, hint)


def _check_pools(
    file: TopologyFile, networks: list[tuple[Path, NetworkShape]], document: Document
) -> None:
    """Loopbacks, VTEPs, links and management share one routing table, so must not overlap."""
    addressing = file.fabric.addressing
    pools = {
        "loopbacks": addressing.loopbacks,
        "vteps": addressing.vteps,
        "links": addressing.links,
    }
    if file.fabric.vpc:
        pools["shared_vteps"] = addressing.shared_vteps
    for name in list(pools):
        if document.lost(("fabric", "addressing", name)):
            del pools[name]
    management = _management(file)
    if management is not None and not document.lost(("management", "subnet")):
        pools["management"] = management
        _check_against_management(management, networks, document)
    for one, subnet, other, taken in overlapping(pools.items()):
        late, early = sorted((one, other), key=list(pools).index)[::-1]
        message = f"pool {late} overlaps pool {early}"
        document.report(_pool_path(file, late, early), message, f"{subnet} and {taken}")


def _pool_path(file: TopologyFile, late: str, early: str) -> Path:
    """Where to point for overlapping pools: one that the file gives, management first."""
    given = file.fabric.addressing.gives
    if late == "management" and file.management not in (True, False):
        return ("management", "subnet")
    name = late if given(late) else early
    return ("fabric", "addressing", name)


def _management(file: TopologyFile) -> IPv4Network | None:
    if isinstance(file.management, bool):
        return MANAGEMENT_POOL if file.management else None
    return file.management.subnet or MANAGEMENT_POOL


def _check_against_management(
    management: IPv4Network,
    networks: list[tuple[Path, NetworkShape]],
    document: Document,
) -> None:
    """A host's first leg and its management NIC share a table."""
    for path, network in networks:
        if network.gateway.network.overlaps(management):
            message = f"subnet of {network.name!r} overlaps the management network's"
            document.report((*path, "gateway"), message, f"management uses {management}")
