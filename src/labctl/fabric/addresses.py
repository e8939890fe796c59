"""Addresses that depend on a node's own number only, so that adding a node moves no other's.

A pool has fixed places: spine i, leaf i and border i each have theirs whatever else the lab
holds. In the default /24: spine 1 is .1, leaf 1 is .11, border 1 is .254. An address written
in the file wins; the node whose place it took moves to the place that the file's node left.
The management network's subnet follows from the lab's name, its nodes' addresses from their
roles and numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import NamedTuple

from labctl.errors import HypervisorError
from labctl.model.lab import Lab, Node, Role

FEW = 10
"""Places kept before leaf 1 (and before host 1) where the pool has room for as many."""

MANAGEMENT_POOL = IPv4Network("198.18.0.0/15")
"""For tests of network devices (RFC 2544): unlikely to be in use where a lab runs."""
_LONGEST = 24
_ROLES = tuple(Role)


class Wanted(NamedTuple):
    """A node that needs an address of a pool, and the one the file gives it."""

    node: Node
    explicit: IPv4Address | None


def spine_places(size: int) -> int:
    """How many spines a pool of `size` addresses has places for."""
    return max(size // 64, min(FEW, size // 4))


def place(role: Role, index: int, size: int) -> int | None:
    """A switch's place in a pool of `size` addresses, or None when the pool is too small."""
    spines, last = spine_places(size), size - 2
    match role:
        case Role.SPINE:
            return index if index <= min(spines, last) else None
        case Role.LEAF:
            return spines + index if spines + index <= last else None
        case Role.BORDER:
            return last + 1 - index if last + 1 - index > spines else None
        case Role.HOST:
            return None


def loopbacks_wanted(lab: Lab) -> list[Wanted]:
    """Every switch, for the loopback pool."""
    return [Wanted(node, node.loopback) for node in lab.nodes if node.role.is_switch]


def vteps_wanted(lab: Lab) -> list[Wanted]:
    """Every leaf and border, for the VTEP pool."""
    return [Wanted(node, node.vtep) for node in lab.nodes if node.role.is_vtep]


def assign(wanted: Iterable[Wanted], pool: IPv4Network) -> Mapping[str, IPv4Address | None]:
    """Node name -> address; None where the pool has no place for the node."""
    wanted = list(wanted)
    size, base = pool.num_addresses, pool.network_address
    natural = {w.node.name: place(w.node.role, w.node.index, size) for w in wanted}
    owner = {int(w.explicit) - int(base): w.node.name for w in wanted if w.explicit is not None}
    result: dict[str, IPv4Address | None] = {}
    for want in wanted:
        spot = natural[want.node.name]
        if want.explicit is None and owner:
            spot = _step_aside(spot, owner, natural)
        own = None if spot is None else base + spot
        result[want.node.name] = want.explicit or own
    return result


def _step_aside(
    spot: int | None, owner: Mapping[int, str], natural: Mapping[str, int | None]
) -> int | None:
    """Follow taken places to the one that their takers left free; it is nobody else's."""
    for _ in range(len(owner)):
        if spot is None or spot not in owner:
            break
        spot = natural[owner[spot]]
    return spot


def fitting_prefix(wanted: Iterable[Wanted], pool: IPv4Network) -> int | None:
    """The longest prefix length, no longer than the pool's, with a place for everyone."""
    wanted = [want for want in wanted if want.explicit is None]
    for prefix in range(pool.prefixlen, 7, -1):
        spots = {place(w.node.role, w.node.index, 2 ** (32 - prefix)) for w in wanted}
        if None not in spots and len(spots) == len(wanted):
            return prefix
    return None


def link_place(spine: int, vtep: Role, index: int, prefix: int) -> int | None:
    """Number of the /31 between spine `spine` and a leaf or border, or None when there is none.

    A third of the bits that number the /31s are the spine's, the others the leaf's: a /16
    serves 32 spines and 1024 leaves and borders.
    """
    bits = max(31 - prefix, 0)
    spine_bits = bits // 3
    columns = 1 << (bits - spine_bits) if prefix < 32 else 0
    column = index - 1 if vtep is Role.LEAF else columns - index
    if spine > 1 << spine_bits or not 0 <= column < columns:
        return None
    return (spine - 1) * columns + column


def first_backup(prefix: int) -> int:
    """The number of the first /31 that is kept for vPC pairs: where a last spine's would be."""
    bits = max(31 - prefix, 0)
    spine_bits = bits // 3
    return ((1 << spine_bits) - 1) << (bits - spine_bits) if spine_bits else 1 << bits


def backup_link(pool: IPv4Network, pair: int) -> tuple[IPv4Interface, IPv4Interface] | None:
    """Both ends of vPC pair `pair`'s routed link, a /30; None when the pool has no place for it."""
    number = first_backup(pool.prefixlen) + 2 * (pair - 1)
    first = int(pool.network_address) + 2 * number + 1
    if first + 2 > int(pool.broadcast_address):
        return None
    return IPv4Interface((first, 30)), IPv4Interface((first + 1, 30))


def link_addresses(pool: IPv4Network, number: int) -> tuple[IPv4Interface, IPv4Interface]:
    """The spine's and the other end's address of the pool's /31 of that number."""
    first = int(pool.network_address) + 2 * number
    return IPv4Interface((first, 31)), IPv4Interface((first + 1, 31))


def host_address(gateway: IPv4Interface, index: int) -> IPv4Interface | None:
    """Host `index`'s address in a network: .11 for host 1; None when the subnet is too small.

    The host whose place the gateway has taken gets the one before host 1's.
    """
    network = gateway.network
    base = min(FEW, network.num_addresses // 4)
    spot = base + index
    if network.network_address + spot == gateway.ip:
        spot = base
    if spot > network.num_addresses - 2:
        return None
    return IPv4Interface((int(network.network_address) + spot, network.prefixlen))


def overlapping(
    pools: Iterable[tuple[str, IPv4Network]],
) -> Iterator[tuple[str, IPv4Network, str, IPv4Network]]:
    """Pairs of named subnets that overlap: each with the earliest one it runs into."""
    ordered = sorted(pools, key=lambda pool: (int(pool[1].network_address), pool[1].prefixlen))
    widest: tuple[str, IPv4Network] | None = None
    for name, network in ordered:
        if widest is not None and widest[1].overlaps(network):
            yield name, network, *widest
        if widest is None or network.broadcast_address > widest[1].broadcast_address:
            widest = (name, network)


def management_subnet(lab_name: str, node_count: int, taken: Iterable[IPv4Network]) -> IPv4Network:
    """A subnet of 198.18.0.0/15 for the lab, free of those `taken`: the same for the same name.

    It is a /24, or as much larger as gives every node the place of its own number. Raises
    HypervisorError when nothing is free.
    """
    needed = len(_ROLES) * node_count + 3
    prefix = max(MANAGEMENT_POOL.prefixlen, min(_LONGEST, 32 - (needed - 1).bit_length()))
    count = 1 << (prefix - MANAGEMENT_POOL.prefixlen)
    digest = int.from_bytes(hashlib.sha256(lab_name.encode()).digest()[:4], "big")
    first = digest >> (32 - _LONGEST + MANAGEMENT_POOL.prefixlen) if count > 1 else 0
    first >>= _LONGEST - prefix
    used = list(taken)
    size = 1 << (32 - prefix)
    for step in range(count):
        base = int(MANAGEMENT_POOL.network_address) + (first + step) % count * size
        subnet = IPv4Network((base, prefix))
        if not any(subnet.overlaps(other) for other in used):
            return subnet
    raise HypervisorError(
        f"no management subnet of /{prefix} is free in {MANAGEMENT_POOL}",
        details=f"{len(used)} subnets are in use there",
        resolution="give the lab one of its own in the file: management: {subnet: CIDR}",
    )


def management_room(subnet: IPv4Network) -> int:
    """How many nodes a subnet has room for, besides network, broadcast and gateway."""
    return max(0, subnet.num_addresses - 3)


def management_gateway(subnet: IPv4Network) -> IPv4Address:
    """The host's own address on the network: its first."""
    return subnet.network_address + 1


def management_addresses(lab: Lab, subnet: IPv4Network) -> Mapping[str, IPv4Interface]:
    """Node name -> address. A node's place follows from its role and number.

    Where the subnet is too small for that, what is left is given out from its end.
    """
    last = subnet.num_addresses - 2
    places = {
        node.name: 2 + len(_ROLES) * (node.index - 1) + _ROLES.index(node.role)
        for node in lab.nodes
    }
    used = {spot for spot in places.values() if spot <= last}
    rest = (spot for spot in range(last, 1, -1) if spot not in used)
    base = int(subnet.network_address)
    return {
        name: IPv4Interface((base + (spot if spot <= last else next(rest)), subnet.prefixlen))
        for name, spot in places.items()
    }
