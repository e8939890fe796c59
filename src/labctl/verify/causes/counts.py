"""Established but empty: sessions are up and carry too little. Whose fault is it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labctl.devices.reading import Unknown
from labctl.verify.causes.case import Case, Explains, either, involving
from labctl.verify.make import listed
from labctl.verify.model import CauseKind, Check, CheckKind


@dataclass(frozen=True, slots=True)
class _Row:
    """One direction of a session: `count` prefixes from one node to another."""

    source: str
    target: str
    count: int


def _rows(case: Case) -> Iterator[_Row]:
    for node in case.fabric.switches:
        for peer, seen in case.peers(node):
            if seen.sent is not None:
                yield _Row(node, peer.node, seen.sent)
            if seen.rcvd is not None:
                yield _Row(peer.node, node, seen.rcvd)


def _proof(case: Case, source: str, targets: set[str]) -> list[Check]:
    """Failed count checks on the sessions from `source` to `targets`."""
    pairs = {frozenset({source, target}) for target in targets}
    return [check for check in case.open(CheckKind.COUNTS) if check.nodes in pairs]


def not_advertising(case: Case) -> None:
    """A VTEP that announces nothing to anybody, or says itself that it need not."""
    rows = list(_rows(case))
    for name, floor in case.fabric.floors.items():
        told = case.fabric.readings[name].bgp_vnis
        advertises = None if isinstance(told, Unknown) else told.advertise_all
        mine = [row for row in rows if row.source == name]
        silent = bool(mine) and not any(row.count for row in mine)
        down = [c for c in case.open(CheckKind.VNI) if c.node == name]
        proof = _proof(case, name, {row.target for row in mine}) if silent else []
        if advertises is False:
            proof += down
        if floor and proof and not (advertises and down):
            _name_not_advertising(case, name, proof, advertises=advertises)


def _name_not_advertising(
    case: Case, name: str, proof: list[Check], *, advertises: bool | None
) -> None:
    advice = case.advice(name)
    why = "an outbound policy" if advertises else advice.announce_lacks
    case.name(
        CauseKind.NOT_ADVERTISING,
        [name],
        f"{name} does not announce its VNIs, though its sessions are established: {why}",
        f"on {name}: {advice.announce}",
        proof,
        either(case.lost({name}), _own_vnis(name)),
    )


def _own_vnis(name: str) -> Explains:
    """Without advertise-all-vni FRR has no VNIs at all."""
    return involving((CheckKind.VNI, CheckKind.L3VNI), name)


def not_reflecting(case: Case) -> None:
    """Spines that get routes, by all that is seen, and pass none on to anybody."""
    rows = list(_rows(case))
    spines = [name for name in case.fabric.switches if name not in case.fabric.vteps]
    guilty, proof = [], []
    for spine in spines:
        out = [row for row in rows if row.source == spine]
        found = _proof(case, spine, {row.target for row in out if not row.count})
        if found and not any(row.count for row in out):
            guilty.append(spine)
            proof += [check for check in found if check not in proof]
    if not guilty:
        return
    peers = case.fabric.switches[guilty[0]].peers
    reflector = any(peer.route_reflector_client for peer in peers)
    who, verb = " and ".join(guilty), "passes" if len(guilty) == 1 else "pass"
    advice = case.advice(guilty[0])
    what = advice.reflect_lacks if reflector else "a policy denies what should be passed on"
    fix = advice.reflect if reflector else "no route map that denies"
    case.name(
        CauseKind.NOT_REFLECTING,
        guilty,
        f"{who} {verb} no EVPN route on to any leaf; {what}",
        f"on {who}: {fix}",
        proof,
        case.lost(_starved(case, set(guilty), rows)),
    )


def _starved(case: Case, guilty: set[str], rows: list[_Row]) -> list[str]:
    """VTEPs that have sessions with `guilty` and, as far as is seen, get nothing elsewhere."""
    fed = {row.target for row in rows if row.count}
    return [
        name
        for name, node in case.fabric.vteps.items()
        if name not in fed and any(peer.node in guilty for peer in node.peers if peer.evpn)
    ]


def not_receiving(case: Case) -> None:
    """A node that holds nothing of what the other end sends to others."""
    empty: dict[str, list[Check]] = {}
    for node in case.fabric.switches:
        zero = {peer.key for peer, seen in case.peers(node) if seen.rcvd == 0}
        mine = [c for c in case.open(CheckKind.COUNTS) if c.node == node and c.subject in zero]
        if mine:
            empty[node] = mine
    for node, proof in empty.items():
        sources = listed({peer for check in proof for peer in check.peers})
        every = len(proof) == len(case.peers(node))
        case.name(
            CauseKind.NOT_RECEIVING,
            [node],
            f"{node} takes nothing from {sources}, who sends to others",
            f"on {node}: a route map inwards that denies? On {sources}: one outwards to {node}?",
            proof,
            case.lost({node} if every else ()),
        )
