"""Are the wires sound: ends that exist, ports used once, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from labctl.fabric.wiring import link_kind
from labctl.model.intent import LinkKind
from labctl.model.lab import Endpoint, Role
from labctl.model.pairs import partners
from labctl.topology.document import Document, Path
from labctl.topology.expand import Draft, DraftLink, DraftNode, may_exist
from labctl.topology.schema import FabricShape


def check_links(fabric: FabricShape, draft: Draft, document: Document) -> None:
    """Report what is wrong with links; unusable ones are taken out of the draft."""
    used: dict[tuple[str, str], DraftLink] = {}
    good = [link for link in draft.links if _check_link(link, used, draft, document)]
    draft.complete = draft.complete and len(good) == len(draft.links)
    draft.links = good
    if draft.complete:
        _check_reach(fabric, draft, document)


def _check_link(
    link: DraftLink, used: dict[tuple[str, str], DraftLink], draft: Draft, document: Document
) -> bool:
    good = True
    if link.a.node == link.b.node:
        document.report(link.path, f"{link.a.node} is linked to itself")
        good = False
    for n, end in enumerate((link.a, link.b)):
        path: Path = (*link.path, n) if link.path[0] == "links" else link.path
        sound = link.path[0] != "links" or _check_end(end, path, draft, document)
        good &= sound and _claim_port(link, end, path, used, document)
    return good


def _check_end(end: Endpoint, path: Path, draft: Draft, document: Document) -> bool:
    node = draft.nodes.get(end.node)
    if node is None:
        if end.node not in draft.unusable and not may_exist(end.node, document):
            hint = document.suggest(end.node, draft.nodes)
            document.report(path, f"there is no node {end.node!r}", hint)
        return False
    ports = node.platform.interfaces
    if ports.number(end.interface) is not None:
        return True
    if end.node in draft.guessed_platform:
        return False
    if end.interface == ports.management:
        message = f"{end.interface} is the management port of platform {node.platform.name}"
        document.report(path, message, f"data ports start at {ports.name(1)}")
    else:
        message = f"platform {node.platform.name} has no port {end.interface!r}"
        span = f"its ports are {ports.name(1)} to {ports.name(ports.maximum)}"
        document.report(path, message, span)
    return False


def _claim_port(
    link: DraftLink,
    end: Endpoint,
    path: Path,
    used: dict[tuple[str, str], DraftLink],
    document: Document,
) -> bool:
    """Take the end's port, or say who had it first."""
    first = used.setdefault((end.node, end.interface), link)
    if first is link and link.a != link.b:
        return True
    by = "the fabric shorthand" if first.path[0] == "fabric" else document.where(first.path)
    document.report(path, f"port {end} is used twice", f"first in {by}: {first}")
    return False


def _check_reach(fabric: FabricShape, draft: Draft, document: Document) -> None:
    """Every host has its leaf, and every switch reaches all others over fabric links."""
    nodes = draft.nodes
    near: dict[str, list[str]] = {name: [] for name in nodes}
    leaves_of: dict[str, list[tuple[DraftNode, DraftLink]]] = {
        name: [] for name, node in nodes.items() if node.role is Role.HOST
    }
    for link in draft.links:
        a, b = nodes[link.a.node], nodes[link.b.node]
        kind = link_kind(a.role, b.role)
        if kind is LinkKind.FABRIC:
            near[a.name].append(b.name)
            near[b.name].append(a.name)
        elif kind is LinkKind.HOST:
            host, switch = (a, b) if a.role is Role.HOST else (b, a)
            leaves_of[host.name].append((switch, link))
    if any(node.role.is_switch for node in nodes.values()):  # else hosts wired to one another
        partner_of = partners(nodes.values()) if fabric.vpc else {}
        for name, found in leaves_of.items():
            _check_host(nodes[name], found, partner_of, document)
    sound = _check_switches(nodes, near, document)
    if fabric.underlay.routing == "ebgp" and sound:
        _check_common_spines(nodes, near, document)


def _check_host(
    host: DraftNode,
    found: list[tuple[DraftNode, DraftLink]],
    partner_of: Mapping[str, str],
    document: Document,
) -> None:
    if not found:
        message = f"host {host.name} has no link to a leaf"
        document.report(host.path, message, "add one under links:", key=True)
    for switch, link in found[:1]:
        if not switch.role.is_vtep:
            document.report(link.path, f"host {host.name} hangs on a spine, which has no networks")
    halves = [partner_of.get(switch.name) for switch, _ in found[:1]]
    for switch, link in found[1:]:
        if switch.name in halves:  # a port channel to both leaves of a vPC pair
            halves.clear()
            continue
        first = document.where(found[0][1].path)
        message = f"host {host.name} has a second link to a switch"
        hint = "hosts have one, or one to each leaf of a vPC pair"
        document.report(link.path, message, f"first in {first}; {hint}")


def _check_switches(
    nodes: Mapping[str, DraftNode], near: Mapping[str, list[str]], document: Document
) -> bool:
    """Whether all switches reach one another."""
    switches = [node for node in nodes.values() if node.role.is_switch]
    vteps = [node for node in switches if node.role.is_vtep]
    spines = [node for node in switches if node.role is Role.SPINE]
    if not vteps and spines:
        document.report(spines[0].path, "spines without leaves make no fabric", key=True)
        return False
    if len(switches) < 2:
        return True
    lonely = [node for node in switches if not near[node.name]]
    for node in lonely:
        other = "a leaf or border" if node.role is Role.SPINE else "a spine"
        message = f"{node.name} has no link to {other}, so it is cut off"
        document.report(node.path, message, "add one under links:", key=True)
    islands = list(_islands([node.name for node in switches if near[node.name]], near))
    for island in islands[1:]:
        names = ", ".join(sorted(island)[:5]) + (" ..." if len(island) > 5 else "")
        message = f"no fabric link leads from {names} to {islands[0][0]}"
        document.report(nodes[island[0]].path, message, key=True)
    return not lonely and len(islands) == 1


def _check_common_spines(
    nodes: Mapping[str, DraftNode], near: Mapping[str, list[str]], document: Document
) -> None:
    """The spines share an AS, so a route passes one only: any two leaves need one in common."""
    by_spines: dict[frozenset[str], str] = {}
    for name, node in nodes.items():
        if node.role.is_vtep:
            by_spines.setdefault(frozenset(near[name]), name)
    seen: list[tuple[frozenset[str], str]] = []
    for spines, name in by_spines.items():
        for others, other in seen:
            if spines.isdisjoint(others):
                message = f"{name} and {other} have no spine in common"
                hint = "under ebgp no route between them passes: the spines share an AS"
                document.report(nodes[name].path, message, hint, key=True)
                break
        seen.append((spines, name))


def _islands(names: list[str], near: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """The connected parts of the fabric, each in the order it is found."""
    seen: set[str] = set()
    for start in names:
        if start in seen:
            continue
        island = [start]
        seen.add(start)
        for name in island:
            fresh = [other for other in dict.fromkeys(near[name]) if other not in seen]
            island += fresh
            seen.update(fresh)
        yield island
