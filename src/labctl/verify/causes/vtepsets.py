"""VTEPs missing from a VNI, or too many: which end is to blame, and for what.

Sessions and counts are healthy here, or have been explained. What is left is a VNI that is down
at one end without its list saying so, or route targets that differ: the case that looks healthy
in all counters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labctl.devices.facts import Vni
from labctl.model.intent import L2Vni
from labctl.verify.causes.blame import culprits
from labctl.verify.causes.case import Case
from labctl.verify.causes.overlay import exported, mend_target, own_targets, vni_trouble
from labctl.verify.make import listed
from labctl.verify.model import CauseKind, Check, CheckKind

_KINDS = (CheckKind.VTEP_SET, CheckKind.TYPE3)


@dataclass(frozen=True, slots=True)
class _Finding:
    kind: CauseKind
    node: str
    message: str


def vteps_missing(case: Case) -> None:
    """Group the missing pairs of each VNI and name the node that all of them share."""
    numbers = {check.vni for check in case.open(*_KINDS) if check.vni is not None}
    for number in sorted(numbers):
        members = _members(case, number)
        failing, working = _pairs(case, number, members)
        for nodes, pairs in culprits(failing, working):
            proof = _proof(case, number, pairs)
            if proof:
                _name(case, number, nodes, pairs, proof)


def _members(case: Case, number: int) -> dict[str, L2Vni]:
    return {
        name: l2
        for name, node in case.fabric.vteps.items()
        for l2 in node.l2vnis
        if l2.network.vni == number
    }


def _pairs(
    case: Case, number: int, members: dict[str, L2Vni]
) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """(pairs where one end lacks the other, pairs where an end has the other)."""
    failing, working = set(), set()
    for check in case.checks:
        if check.kind not in _KINDS or check.vni != number or check.node not in members:
            continue
        wanted = case.fabric.names(members[check.node].remote_vteps)
        for other in wanted:
            pair = frozenset({check.node, other})
            if other in check.peers and check in case.open(*_KINDS):
                failing.add(pair)
            elif other not in check.peers and check.kind is CheckKind.VTEP_SET:
                working.add(pair)
    return failing, working - failing


def _proof(case: Case, number: int, pairs: Iterable[frozenset[str]]) -> list[Check]:
    touched = [frozenset(pair) for pair in pairs]
    return [
        check
        for check in case.open(*_KINDS)
        if check.vni == number and any(pair <= check.nodes for pair in touched)
    ]


def _name(
    case: Case,
    number: int,
    nodes: tuple[str, ...],
    pairs: list[frozenset[str]],
    proof: list[Check],
) -> None:
    suspects = sorted(frozenset[str]().union(*pairs)) if len(nodes) > 1 else list(nodes)
    findings = [found for node in suspects if (found := _look(case, number, node, proof))]
    if findings:
        finding, blamed = findings[0], [findings[0].node]
    else:
        finding, blamed = _undecided(case, number, suspects), suspects
    trouble = [vni_trouble(case, node, [number]) for node in blamed]
    case.name(
        finding.kind,
        blamed,
        finding.message,
        mend_target(listed(blamed), number)
        if finding.kind is CauseKind.RT_MISMATCH
        else f"on {listed(blamed)}: is the VXLAN device of VNI {number} up and in its bridge?",
        proof,
        lambda check: any(explains(check) for explains in trouble),
    )


def _look(case: Case, number: int, node: str, proof: list[Check]) -> _Finding | None:
    """What speaks against `node`: the targets it exports, or an empty VNI."""
    l2 = _members(case, number).get(node)
    if l2 is None:
        return None
    return _by_targets(case, number, node, l2) or _by_emptiness(case, number, node, proof)


def _by_targets(case: Case, number: int, node: str, l2: L2Vni) -> _Finding | None:
    said = own_targets(case, node, number)
    if said is not None and l2.route_target in said.imports & said.exports:
        return None
    sent = exported(case, node)
    if sent is None or l2.route_target in sent or not sent:
        return None
    strange = sent - {other.route_target for other in case.fabric.vteps[node].l2vnis}
    if not strange:
        message = f"{node} sends no type-3 route for VNI {number}: the VNI is down there"
        return _Finding(CauseKind.VNI_DOWN, node, message)
    message = (
        f"route target mismatch on {node}, VNI {number}: it exports {listed(strange)}, "
        f"the file wants {l2.route_target}; sessions and counts look healthy"
    )
    return _Finding(CauseKind.RT_MISMATCH, node, message)


def _by_emptiness(case: Case, number: int, node: str, proof: list[Check]) -> _Finding | None:
    """A VNI without a single MAC, local or remote, while the other end has some: it is down.

    zebra keeps a VNI whose device went down in its list, but forgets its MACs.
    """
    others = frozenset[str]().union(*(check.nodes for check in proof)) - {node}
    mine = _macs(case, number, node)
    if mine == 0 and any(_macs(case, number, other) for other in others):
        message = f"VNI {number} is down on {node}: it holds no MAC and no remote VTEP there"
        return _Finding(CauseKind.VNI_DOWN, node, message)
    return None


def _macs(case: Case, number: int, node: str) -> int | None:
    if node not in case.fabric.readings:
        return None
    vni = case.fabric.readings[node].vni(number)
    return vni.macs if isinstance(vni, Vni) else None


def _undecided(case: Case, number: int, suspects: list[str]) -> _Finding:
    """Nothing tells the ends apart, or nothing says why: name what fits, and say so."""
    who = " or ".join(suspects)
    if _announces_all(case, suspects):
        message = (
            f"VNI {number}: sessions and counts look healthy, yet VTEPs are missing; route "
            f"target mismatch on {who}"
        )
        return _Finding(CauseKind.RT_MISMATCH, suspects[0], message)
    message = f"VNI {number} is down on {who}, or its route targets differ there"
    return _Finding(CauseKind.VTEP_MISSING, suspects[0], message)


def _announces_all(case: Case, suspects: list[str]) -> bool:
    """Whether each suspect is seen to announce, with its hosts' routes, all it should.

    Two type-2 routes for each leg of its hosts (MAC, and MAC with IP) besides the floor. A VNI
    that is down takes its share out of the counts; differing targets leave them whole.
    """
    return all(_announced(case, node) >= _full(case, node) for node in suspects)


def _announced(case: Case, node: str) -> int:
    own = [seen.sent or 0 for _, seen in case.peers(node)] if node in case.fabric.switches else []
    heard = [
        seen.rcvd or 0
        for other in case.fabric.switches
        if other not in case.fabric.vteps
        for peer, seen in case.peers(other)
        if peer.node == node
    ]
    return max([*own, *heard], default=-1)


def _full(case: Case, node: str) -> int:
    legs = sum(node in case.fabric.leaf_of[host] for host, _ in case.fabric.legs)
    return case.fabric.floors.get(node, 0) + 2 * legs


def vteps_unexpected(case: Case) -> None:
    """A VTEP that the file does not put into the VNI."""
    for check in case.open(CheckKind.VTEP_SET):
        number = check.vni or 0
        strangers = sorted(set(check.peers) - _members(case, number).keys())
        if not strangers:
            continue
        blamed = [name for name in strangers if name in case.fabric.switches] or [check.node]
        case.name(
            CauseKind.VTEP_UNEXPECTED,
            blamed,
            f"VNI {number} on {check.node} has the VTEP {listed(strangers)}, which the file does "
            "not put there",
            f"on {listed(blamed)}: VNI {number} and its route targets; another fabric that uses "
            "the same VNI?",
            [check],
            lambda _check: False,
        )
