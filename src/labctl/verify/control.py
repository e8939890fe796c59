"""Checks of nodes, underlay and BGP sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from labctl.devices.facts import Peer
from labctl.devices.reading import NodeReading, Unknown
from labctl.model.intent import BgpPeer, LinkKind, NodeIntent, Port
from labctl.model.lab import Routing
from labctl.verify.fabric import Fabric
from labctl.verify.make import check, unknown
from labctl.verify.model import Check, CheckKind

KERNEL_SHARE = 0.06
KERNEL_FIXED = 40 * 1024
"""KiB. What a guest's kernel keeps of its memory, so that it is missing from MemTotal: a share
(page structures) and a fixed part (its own text and data). Debian 12's cloud kernel keeps 1.7 %
and 35 MiB, measured from 192 MiB to 2 GiB; other guests keep up to 6 %."""
LOW_AVAILABLE = 0.10
"""Below this share of MemAvailable a node is short of memory: Nexus, too, by default calls 90 %
in use severe (`system memory-thresholds minor 85 severe 90 critical 95`)."""


def node_checks(fabric: Fabric) -> Iterator[Check]:
    """Does the node answer, do its daemons run, has it the memory the file gives it?"""
    for name, node in fabric.intent.nodes.items():
        yield _answers(fabric, name)
        if name in fabric.switches:
            yield _daemons(name, fabric.readings[name])
        yield _memory(fabric, name, node)


def _answers(fabric: Fabric, name: str) -> Check:
    reason = fabric.evidence.unreachable.get(name)
    outputs = len(fabric.outputs[name])
    ok = False if reason is not None else True if outputs else None
    seen = reason or (f"{outputs} outputs" if outputs else "no output of any command")
    return check(CheckKind.NODE, name, "", expected="answers", ok=ok, seen=seen)


def _daemons(name: str, reading: NodeReading) -> Check:
    parts = (reading.adjacencies, reading.ipv4_peers, reading.evpn_peers, reading.vnis)
    dead = {part.reason for part in parts if isinstance(part, Unknown) and part.daemon_down}
    known = any(not isinstance(part, Unknown) for part in parts)
    ok = False if dead else True if known else None
    seen = ", ".join(sorted(dead)) or ("they answer" if known else "no output of theirs")
    return check(CheckKind.DAEMONS, name, "", expected="all run", ok=ok, seen=seen)


def _memory(fabric: Fabric, name: str, node: NodeIntent) -> Check:
    """As much as the file gives it, and no less than its software needs."""
    given, floor = node.node.memory, fabric.memory_floor(name)
    least = int(max(given, floor) * 1024 * (1 - KERNEL_SHARE)) - KERNEL_FIXED
    need = f"; its software needs {floor}" if floor > given else ""
    expected = f"at least {least // 1024} MiB of {given} MiB{need}, {LOW_AVAILABLE:.0%} free"
    memory = fabric.readings[name].memory
    if isinstance(memory, Unknown):
        return unknown(CheckKind.MEMORY, name, "", memory, expected=expected)
    ok, seen = memory.total >= least and not memory.alert, f"{memory.total // 1024} MiB"
    if memory.available is not None:
        ok = ok and memory.available >= memory.total * LOW_AVAILABLE
        seen += f", {memory.available // 1024} MiB available"
    if memory.alert:
        seen += f", {memory.alert}"
    return check(CheckKind.MEMORY, name, "", expected=expected, ok=ok, seen=seen)


def underlay_checks(fabric: Fabric) -> Iterator[Check]:
    """OSPF: a Full neighbour on every fabric port. eBGP: the IPv4 sessions."""
    ospf = fabric.intent.lab.fabric.routing is Routing.OSPF
    for name, node in fabric.switches.items():
        if ospf:
            ports = (port for port in node.ports if port.kind is LinkKind.FABRIC)
            yield from (_adjacency(fabric, name, port) for port in ports)
        else:
            peers = (peer for peer in node.peers if peer.ipv4)
            table = fabric.readings[name].ipv4_peers
            yield from (_session(CheckKind.UNDERLAY, name, peer, table) for peer in peers)


def _adjacency(fabric: Fabric, name: str, port: Port) -> Check:
    kind, subject, peers = CheckKind.UNDERLAY, port.name, (port.far.node,)
    expected = f"OSPF Full with {port.far.node}"
    adjacencies = fabric.readings[name].adjacencies
    if isinstance(adjacencies, Unknown):
        return unknown(kind, name, subject, adjacencies, expected=expected, peers=peers)
    here = [each for each in adjacencies if each.interface == port.name]
    router = fabric.switches[port.far.node].loopback
    ok = any(each.full and each.router_id == router for each in here)
    seen = ", ".join(f"{each.state} with {each.router_id}" for each in here) or "no neighbour"
    return check(kind, name, subject, expected=expected, ok=ok, seen=seen, peers=peers)


def session_checks(fabric: Fabric) -> Iterator[Check]:
    """Every EVPN session of the intent, and whether it carries what it must."""
    for name, node in fabric.switches.items():
        table = fabric.readings[name].evpn_peers
        for peer in node.peers:
            if peer.evpn:
                yield _session(CheckKind.SESSION, name, peer, table)
                yield _counts(fabric, name, peer, table)


NOT_CONFIGURED = "no such neighbor"
"""What is seen of a session that the node does not have at all."""
Sessions = Mapping[str, Peer] | Unknown


def _session(kind: CheckKind, name: str, peer: BgpPeer, table: Sessions) -> Check:
    expected = f"Established with {peer.node}, AS {peer.asn}"
    if isinstance(table, Unknown):
        return unknown(kind, name, peer.key, table, expected=expected, peers=(peer.node,))
    found = table.get(peer.key)
    if found is None:
        ok, seen = False, NOT_CONFIGURED
    else:
        ok = found.established and found.asn in (None, peer.asn)
        seen = found.state if found.asn in (None, peer.asn) else f"{found.state}, AS {found.asn}"
    return check(kind, name, peer.key, expected=expected, ok=ok, seen=seen, peers=(peer.node,))


def _counts(fabric: Fabric, name: str, peer: BgpPeer, table: Sessions) -> Check:
    """At least what the VTEPs at the other side announce must come, at least ours must go."""
    least_in, least_out = flow(fabric, name, peer)
    expected = f"at least {least_in} received, {least_out} sent"
    kind, peers = CheckKind.COUNTS, (peer.node,)
    if isinstance(table, Unknown):
        return unknown(kind, name, peer.key, table, expected=expected, peers=peers)
    found = table.get(peer.key)
    if found is None or not found.established:
        why = Unknown("the session is not established")
        return unknown(kind, name, peer.key, why, expected=expected, peers=peers)
    said = (found.rcvd, found.sent)
    if found.rcvd is None and found.sent is None:
        return unknown(kind, name, peer.key, Unknown("no counts"), expected=expected, peers=peers)
    seen = " received, ".join("?" if n is None else str(n) for n in said) + " sent"
    ok = enough(found, (least_in, least_out))
    return check(kind, name, peer.key, expected=expected, ok=ok, seen=seen, peers=peers)


def flow(
    fabric: Fabric, name: str, peer: BgpPeer, floors: Mapping[str, int] | None = None
) -> tuple[int, int]:
    """The fewest EVPN prefixes (received, sent) over a session when VTEPs announce `floors`.

    A VTEP sends what it originates; what it gets from a spine is what all other VTEPs originate,
    for the spine passes everything on.
    """
    announced = fabric.floors if floors is None else floors
    total = fabric.floor_sum if floors is None else sum(floors.values())
    here, there = announced.get(name), announced.get(peer.node)
    received = total - _own(fabric, name, announced) if there is None else there
    sent = total - _own(fabric, peer.node, announced) if here is None else here
    return received, sent


def _own(fabric: Fabric, name: str, announced: Mapping[str, int]) -> int:
    """What a VTEP need not be sent: its own routes, and those of its vPC peer."""
    return sum(announced.get(each, 0) for each in fabric.itself(name))


def enough(found: Peer, least: tuple[int, int]) -> bool:
    """Whether a session's counts, as far as they are said, reach (received, sent)."""
    said = (found.rcvd, found.sent)
    return all(n is None or n >= floor for n, floor in zip(said, least, strict=True))
