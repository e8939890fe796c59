"""Are the vPC pairs sound: two Nexus of the same networks, a wire between them, addresses."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.fabric.addresses import backup_link
from labctl.fabric.pairs import shared_vtep
from labctl.model.pairs import pair_number, partners
from labctl.topology.check_fabric import networks_of
from labctl.topology.document import Document
from labctl.topology.expand import COUNTS, Draft, DraftNode
from labctl.topology.schema import TopologyFile


def check_pairs(file: TopologyFile, draft: Draft, document: Document) -> None:
    """Report what is wrong with vPC pairs, where the file asks for them."""
    if not file.fabric.vpc:
        return
    pairs = list(_pairs(draft))
    if not pairs and draft.complete and not any(document.lost(("fabric", key)) for key in COUNTS):
        message = "no two leaves make a vPC pair"
        document.report(("fabric", "vpc"), message, "leaf 1 and 2 would, and 3 and 4", key=True)
    for pair in pairs:
        _check_platforms(*pair, draft, document)
        _check_peer_link(*pair, draft, document)
    _check_on(file, draft, document)
    if pairs:
        _check_pools(file, pair_number(pairs[-1][0].index), document)


def _pairs(draft: Draft) -> Iterator[tuple[DraftNode, DraftNode]]:
    """Both halves of every pair, the lower number first, in order."""
    partner_of = partners(draft.nodes.values())
    first = [draft.nodes[name] for name in partner_of if draft.nodes[name].index % 2]
    for node in sorted(first, key=lambda node: node.index):
        yield node, draft.nodes[partner_of[node.name]]


def _check_platforms(one: DraftNode, other: DraftNode, draft: Draft, document: Document) -> None:
    for node in (one, other):
        if node.platform.device != "nxos" and node.name not in draft.guessed_platform:
            message = f"{node.name} can't be half of a vPC pair: it is no Nexus"
            document.report(("fabric", "vpc"), message, f"its platform is {node.platform.name}")


def _check_peer_link(one: DraftNode, other: DraftNode, draft: Draft, document: Document) -> None:
    ends = {one.name, other.name}
    wired = any({link.a.node, link.b.node} == ends for link in draft.links)
    if not wired and draft.complete:
        message = f"{one.name} and {other.name} are a vPC pair without a link between them"
        document.report(other.path, message, "add one under links:", key=True)


def _check_on(file: TopologyFile, draft: Draft, document: Document) -> None:
    """A network is on both halves of a pair or on none: vPC compares their VNIs."""
    partner_of = partners(draft.nodes.values())
    for path, network in networks_of(file.fabric):
        names = network.on or ()
        for index, name in enumerate(names):
            other = partner_of.get(name)
            if other is not None and other not in names:
                message = f"{name} and {other} are a vPC pair: {network.name} must be on both"
                document.report((*path, "on", index), message, f"add {other}")


def _check_pools(file: TopologyFile, last: int, document: Document) -> None:
    """Pair number `last`, and so all others, has its addresses."""
    pools = file.fabric.addressing
    path = ("fabric", "addressing")
    if shared_vtep(pools.shared_vteps, last) is None:
        message = f"shared_vteps {pools.shared_vteps} is too small: it has no place for pair {last}"
        document.report((*path, "shared_vteps"), message, "choose a larger one")
    if backup_link(pools.links, last) is None:
        message = f"links {pools.links} is too small: it has no place for vPC pair {last}"
        document.report((*path, "links"), message, "choose a larger one")
