"""vPC pairs: the address both halves share, and the routed link between them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from labctl.fabric import addresses
from labctl.fabric.vlans import BACKUP
from labctl.model.intent import Pair
from labctl.model.lab import Lab, Node
from labctl.model.pairs import pair_number, partners
from labctl.model.role import Role


def shared_vtep(pool: IPv4Network, pair: int) -> IPv4Address | None:
    """The address both halves of a pair answer to, or None when the pool has no place for it."""
    spot = addresses.place(Role.LEAF, pair, pool.num_addresses)
    return None if spot is None else pool.network_address + spot


class Pairs:
    """The pairs of a lab as their halves see them. `lab` is one that `labctl.topology` passed."""

    def __init__(
        self,
        lab: Lab,
        loopbacks: Mapping[str, IPv4Address],
        management: Mapping[str, IPv4Interface],
    ) -> None:
        self._partners = partners(lab.nodes) if lab.fabric.vpc else {}
        self._pools = lab.fabric.addressing
        self._loopbacks = loopbacks
        self._management = management
        self._of = {
            node.name: self._pair(node) for node in lab.nodes if node.name in self._partners
        }

    def of(self, node: Node) -> Pair | None:
        """The pair a node is half of, None for one that is on its own."""
        return self._of.get(node.name)

    def announced(self, vteps: Mapping[str, IPv4Address]) -> Mapping[str, IPv4Address]:
        """The address each VTEP announces itself with: a pair the one it shares."""
        return {**vteps, **{name: pair.vtep for name, pair in self._of.items()}}

    def _pair(self, node: Node) -> Pair:
        number, peer = pair_number(node.index), self._partners[node.name]
        shared = shared_vtep(self._pools.shared_vteps, number)
        ends = addresses.backup_link(self._pools.links, number)
        assert shared is not None  # load refuses pools that are too small
        assert ends is not None
        is_first = node.index % 2 == 1
        own, far = ends if is_first else ends[::-1]
        return Pair(
            number=number,
            peer=peer,
            is_first=is_first,
            vtep=shared,
            vlan=BACKUP,
            backup=own,
            far_backup=far,
            peer_loopback=self._loopbacks[peer],
            peer_management=self._management.get(peer),
        )
