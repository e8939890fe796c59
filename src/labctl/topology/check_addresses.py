"""Can every node have its addresses and AS number, each different from all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from labctl.fabric import addresses, asns
from labctl.fabric.addresses import Wanted
from labctl.fabric.wiring import link_kind
from labctl.model.intent import LinkKind
from labctl.model.lab import Lab, LinkAddressing, Replication, Role, Routing
from labctl.topology.check_fabric import networks_of
from labctl.topology.document import Document, Path
from labctl.topology.expand import COUNTS, Draft, DraftNode
from labctl.topology.schema import TopologyFile

_POOLS: Path = ("fabric", "addressing")


def check_addresses(file: TopologyFile, lab: Lab, draft: Draft, document: Document) -> None:
    """Report pools and subnets that are too small, and numbers given twice."""
    checker = _Checker(lab, draft, document)
    pools = lab.fabric.addressing
    if not document.lost((*_POOLS, "loopbacks")):
        checker.pool("loopbacks", addresses.loopbacks_wanted(lab), pools.loopbacks)
    if not document.lost((*_POOLS, "vteps")):
        checker.pool("vteps", addresses.vteps_wanted(lab), pools.vteps)
    checker.explicit_elsewhere()
    if lab.fabric.replication is Replication.MULTICAST:
        checker.rendezvous_point()
    if lab.fabric.links is LinkAddressing.NUMBERED:
        checker.links()
    if lab.fabric.routing is Routing.EBGP and not document.lost(("fabric", "overlay", "asn")):
        checker.as_numbers()
    if draft.knows_networks:
        checker.hosts({network.name: path for path, network in networks_of(file.fabric)})
    if not any(document.lost(("fabric", key)) for key in COUNTS):
        checker.management()


class _User(NamedTuple):
    """Who has an address: `is_explicit` where the file says so."""

    node: str
    field: str
    is_explicit: bool

    def __str__(self) -> str:
        return f"{self.node}'s {self.field}"


class _Checker:
    """Collects the addresses in use while it checks one thing after the other. One use."""

    def __init__(self, lab: Lab, draft: Draft, document: Document) -> None:
        self._lab = lab
        self._draft = draft
        self._document = document
        self._used: dict[IPv4Address, _User] = {}

    def pool(self, name: str, wanted: list[Wanted], pool: IPv4Network) -> None:
        """Every node has a place in the pool, and nobody else's."""
        assigned = addresses.assign(wanted, pool)
        lacking = [node for node, address in assigned.items() if address is None]
        for want in wanted:
            if (address := assigned[want.node.name]) is None:
                continue
            user = _User(want.node.name, name.removesuffix("s"), want.explicit is not None)
            first = self._used.setdefault(address, user)
            if first.node == user.node:  # one address for both is a common design
                continue
            if not user.is_explicit and not first.is_explicit:
                lacking.append(user.node)
            else:
                one, other = (user, first) if user.is_explicit else (first, user)
                path: Path = ("nodes", one.node, one.field)
                self._document.report(path, f"{one} {address} is also {other}")
        if lacking:
            self._too_small(name, pool, lacking[0], addresses.fitting_prefix(wanted, pool))

    def _too_small(self, name: str, pool: IPv4Network, who: str, fitting: int | None) -> None:
        hint = f"a /{fitting} would do" if fitting is not None else "choose a larger one"
        message = f"{name} {pool} is too small: it has no place for {who}"
        self._document.report((*_POOLS, name), message, hint)

    def explicit_elsewhere(self) -> None:
        """An address written in the file lies in no pool of another purpose."""
        pools = self._other_pools()
        for node in self._lab.nodes:
            for field, address in (("loopback", node.loopback), ("vtep", node.vtep)):
                for name, pool in pools.items():
                    if address is not None and address in pool:
                        message = f"{node.name}'s {field} {address} lies in the {name} pool"
                        self._document.report(("nodes", node.name, field), message, str(pool))

    def _other_pools(self) -> Mapping[str, IPv4Network]:
        """Pools in use that no node's own address is from."""
        fabric, lost = self._lab.fabric, self._document.lost
        is_numbered = fabric.links is LinkAddressing.NUMBERED
        pools = {}
        if (is_numbered or fabric.vpc) and not lost((*_POOLS, "links")):
            pools["links"] = fabric.addressing.links
        if fabric.vpc and not lost((*_POOLS, "shared_vteps")):
            pools["shared_vteps"] = fabric.addressing.shared_vteps
        if self._lab.management.enabled and not lost(("management", "subnet")):
            subnet = self._lab.management.subnet
            pools["management"] = subnet or addresses.MANAGEMENT_POOL
        return pools

    def rendezvous_point(self) -> None:
        """It has an address of its own, in no pool."""
        fabric, path = self._lab.fabric, ("fabric", "overlay", "rp")
        own = {"loopbacks": fabric.addressing.loopbacks, "vteps": fabric.addressing.vteps}
        for name, pool in {**own, **self._other_pools()}.items():
            if fabric.rp in pool and not self._document.lost((*_POOLS, name)):
                message = f"rp {fabric.rp} lies in the {name} pool"
                self._document.report(path, message, str(pool))
        if user := self._used.get(fabric.rp):
            self._document.report(path, f"rp {fabric.rp} is also {user}")

    def links(self) -> None:
        """Every fabric link has a /31 of its own."""
        pool = self._lab.fabric.addressing.links
        seen: dict[tuple[str, str], Path] = {}
        numbers: set[int | None] = {None}
        end = addresses.first_backup(pool.prefixlen)
        lacking = ""
        for spine, vtep, path in self._fabric_links():
            pair = (spine.name, vtep.name)
            if pair in seen:
                message = f"a second link between {spine.name} and {vtep.name} needs a second /31"
                first = f"first in {self._document.where(seen[pair])}; use unnumbered links"
                self._document.report(path, message, first)
                continue
            seen[pair] = path
            number = addresses.link_place(spine.index, vtep.role, vtep.index, pool.prefixlen)
            if self._lab.fabric.vpc and number is not None and number >= end:
                number = None
            if number in numbers:
                lacking = lacking or " -- ".join(pair)
            numbers.add(number)
        if lacking:
            self._too_small("links", pool, lacking, None)

    def _fabric_links(self) -> Iterator[tuple[DraftNode, DraftNode, Path]]:
        """Spine, leaf or border, and path of every fabric link."""
        nodes = self._draft.nodes
        for link in self._draft.links:
            a, b = nodes[link.a.node], nodes[link.b.node]
            if link_kind(a.role, b.role) is LinkKind.FABRIC:
                yield (a, b, link.path) if a.role is Role.SPINE else (b, a, link.path)

    def as_numbers(self) -> None:
        """Every leaf and border has an AS of its own, and none is a spine's."""
        numbers = asns.assign(self._lab)
        first: dict[int, str] = {
            numbers[node.name]: node.name for node in self._lab.nodes if node.role is Role.SPINE
        }
        for node in self._lab.nodes:
            if not node.role.is_vtep:
                continue
            number = numbers[node.name]
            other = first.setdefault(number, node.name)
            if other != node.name:
                path = self._draft.nodes[node.name].path
                message = f"{node.name} has {other}'s AS number {number}"
                hint = "under ebgp every leaf and border needs its own"
                self._document.report((*path, "asn"), message, hint)

    def hosts(self, paths: Mapping[str, Path]) -> None:
        """Every host has an address in every network it has a leg in."""
        vrfs = self._lab.fabric.vrfs
        gateways = {net.name: net.gateway for vrf in vrfs for net in vrf.networks}
        small: set[str] = set()
        for node in self._lab.nodes:
            for name in node.networks:
                if name in small or name not in gateways:
                    continue
                if addresses.host_address(gateways[name], node.index) is None:
                    small.add(name)
                    subnet = gateways[name].network
                    message = f"{subnet} is too small: it has no place for {node.name}"
                    self._document.report((*paths[name], "gateway"), message)

    def management(self) -> None:
        """The file's own management subnet has room for all nodes."""
        subnet = self._lab.management.subnet
        if subnet is None:
            return
        room = addresses.management_room(subnet)
        if room < len(self._lab.nodes):
            message = f"{subnet} has room for {room} nodes, the lab has {len(self._lab.nodes)}"
            self._document.report(("management", "subnet"), message)
