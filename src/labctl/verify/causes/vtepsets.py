"""VTEPs missing from a VNI, or too many: which end is to blame, and for what.

Sessions and counts are healthy here, or have been explained. What is left is a VNI that is down
at one end without its list saying so, or route targets that differ: the case that looks healthy
in all counters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labctl.devices.facts import Vni
from labctl.model.intent import L2Vni
from labctl.verify.causes.blame import culprits
from labctl.verify.causes.case import Case, either
from labctl.verify.causes.overlay import exported, mend_target, vni_trouble
from labctl.verify.make import listed
from labctl.verify.model import CauseKind, Check, CheckKind

_KINDS = (CheckKind.VTEP_SET, CheckKind.TYPE3)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is wrong with one VNI and who is to blame."""

    kind: CauseKind
    nodes: tuple[str, ...]
    why: str


def vteps_silent(case: Case) -> None:
    """A VTEP of which no session is seen, but whose routes are missing from the others' counts."""
    silent = [name for name in case.fabric.vteps if not case.peers(name) and _unheard(case, name)]
    if not silent:
        return
    who = " or ".join(silent)
    proof = [c for c in case.open(CheckKind.COUNTS) if not c.nodes & set(silent)]
    case.name(
        CauseKind.VTEP_MISSING,
        silent,
        f"nothing of what {who} should announce arrives: its EVPN sessions are down, or it does "
        "not advertise",
        f"on {who}: `show bgp l2vpn evpn summary`; are its sessions established, "
        f"{case.advice(silent[0]).announce_look}",
        proof,
        case.lost(silent),
    )


def _unheard(case: Case, name: str) -> bool:
    """Whether all counts that are short would do without `name`, and nobody has it as a VTEP."""
    short = [check for check in case.open(CheckKind.COUNTS) if name not in check.nodes]
    explains = case.lost({name})
    if not short or not all(explains(check) for check in short):
        return False
    members = {l2.network.vni for l2 in case.fabric.vteps[name].l2vnis}
    seen = (c for c in case.passed(CheckKind.VTEP_SET) if c.vni in members and c.node != name)
    return not any(seen)


def vteps_missing(case: Case) -> None:
    """Group the missing pairs of each VNI, name the node all of them share, and put VNIs with
    the same trouble together.
    """
    groups: dict[_Finding, tuple[list[int], list[Check]]] = {}
    for number in sorted({check.vni for check in case.open(*_KINDS) if check.vni is not None}):
        failing, working = _pairs(case, number, _members(case, number))
        for nodes, pairs in culprits(failing, working):
            proof = _proof(case, number, pairs)
            suspects = nodes if len(nodes) == 1 else sorted(frozenset[str]().union(*pairs))
            finding = _judge(case, number, suspects, proof)
            numbers, checks = groups.setdefault(finding, ([], []))
            numbers.append(number)
            checks += proof
    for finding, (numbers, proof) in groups.items():
        _name(case, finding, numbers, proof)


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


def _name(case: Case, finding: _Finding, numbers: list[int], proof: list[Check]) -> None:
    who, vnis = " or ".join(finding.nodes), listed(numbers)
    trouble = [vni_trouble(case, node, numbers) for node in finding.nodes]
    what = {
        CauseKind.RT_MISMATCH: f"route target mismatch on {who}, VNI {vnis}",
        CauseKind.VNI_DOWN: f"VNI {vnis} is down on {who}",
    }.get(finding.kind, f"VNI {vnis} is down on {who}, or its route targets differ there")
    device = f"on {who}, VNI {vnis}: {case.advice(finding.nodes[0]).vni_look}"
    target = mend_target(case, finding.nodes, vnis)
    mend = {CauseKind.RT_MISMATCH: target, CauseKind.VNI_DOWN: device}
    case.name(
        finding.kind,
        finding.nodes,
        f"{what}: {finding.why}",
        mend.get(finding.kind, f"{device} If so, {target}"),
        proof,
        either(*trouble),
    )


def _judge(case: Case, number: int, suspects: Sequence[str], proof: list[Check]) -> _Finding:
    """Of the suspects, the one that something speaks against, or all of them."""
    for node in suspects:
        l2 = _members(case, number).get(node)
        if l2 is not None:
            found = _by_targets(case, node, l2) or _by_emptiness(case, number, node, proof)
            if found is not None:
                return found
    return _by_counts(case, suspects)


def _by_targets(case: Case, node: str, l2: L2Vni) -> _Finding | None:
    """By the route targets of the node's type-3 routes, as anybody sees them."""
    sent = exported(case, node)
    if not sent or l2.route_target in sent:
        return None
    strange = sent - {other.route_target for other in case.fabric.vteps[node].l2vnis}
    if not strange:
        return _Finding(CauseKind.VNI_DOWN, (node,), "it sends no type-3 route for it")
    why = f"it exports {listed(strange)} besides; sessions and counts look healthy"
    return _Finding(CauseKind.RT_MISMATCH, (node,), why)


def _by_emptiness(case: Case, number: int, node: str, proof: list[Check]) -> _Finding | None:
    """A VNI with hosts of its own but not a single MAC, while the other end has some: it is down.

    zebra keeps a VNI whose device went down in its list, but forgets its MACs.
    """
    hosts = [h for h, leg in case.fabric.legs if leg.network.vni == number]
    if not any(node in case.fabric.leaf_of[host] for host in hosts):
        return None
    others = frozenset[str]().union(*(check.nodes for check in proof)) - {node}
    if _macs(case, number, node) == 0 and any(_macs(case, number, other) for other in others):
        return _Finding(CauseKind.VNI_DOWN, (node,), "it holds no MAC and no remote VTEP there")
    return None


def _macs(case: Case, number: int, node: str) -> int | None:
    if node not in case.fabric.readings:
        return None
    vni = case.fabric.readings[node].vni(number)
    return vni.macs if isinstance(vni, Vni) else None


def _by_counts(case: Case, suspects: Sequence[str]) -> _Finding:
    """A VNI that is down takes its routes out of the counts; differing targets leave them whole."""
    whole = {node: _announces_all(case, node) for node in suspects}
    short = tuple(node for node in suspects if whole[node] is False)
    if all(whole.values()) and not case.failed(CheckKind.COUNTS):
        why = "sessions and counts look healthy, yet VTEPs are missing"
        return _Finding(CauseKind.RT_MISMATCH, tuple(suspects), why)
    if len(short) == 1 and all(whole[node] for node in suspects if node not in short):
        return _Finding(CauseKind.VNI_DOWN, short, "its VTEP is missing, and so are its routes")
    why = "VTEPs are missing, and what is at hand does not tell more"
    return _Finding(CauseKind.VTEP_MISSING, tuple(suspects), why)


def _announces_all(case: Case, node: str) -> bool | None:
    """Whether the node is seen to announce all it should, its hosts' routes included.

    Two type-2 routes for each leg of its hosts (MAC, and MAC with IP) besides the floor. Where
    neither it nor a spine says, what a leaf gets from all others together is held against all.
    """
    fabric = case.fabric
    if node not in fabric.vteps:
        return None
    spines = [name for name in fabric.switches if name not in fabric.vteps]
    own = [seen.sent for _, seen in case.peers(node)]
    heard = [seen.rcvd for s in spines for peer, seen in case.peers(s) if peer.node == node]
    said = [count for count in (*own, *heard) if count is not None]
    if said:
        return max(said) >= _full(case, node)
    others = [
        (seen.rcvd, sum(_full(case, each) for each in fabric.vteps if each != name))
        for name in fabric.vteps
        for _, seen in case.peers(name)
        if name != node and seen.rcvd is not None
    ]
    return all(count >= full for count, full in others) if others else None


def _full(case: Case, node: str) -> int:
    legs = sum(node in case.fabric.leaf_of[host] for host, _ in case.fabric.legs)
    return case.fabric.floors[node] + 2 * legs


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
