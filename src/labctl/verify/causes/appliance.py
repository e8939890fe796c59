"""Causes only switches with an operating system of their own tell of."""

from __future__ import annotations

from labctl.verify.causes.blame import culprits
from labctl.verify.causes.case import Case
from labctl.verify.causes.overlay import vni_trouble
from labctl.verify.model import CauseKind, Check, CheckKind


def boot_unset(case: Case) -> None:
    """A switch that the next reload leaves at its loader."""
    for check in case.open(CheckKind.BOOT):
        node = check.node
        case.name(
            CauseKind.BOOT_UNSET,
            [node],
            f"{node} has no image for its next reload, which ends at `loader >`",
            f"on {node}: {case.advice(node).boot}",
            [check],
            lambda _check: False,
        )


def replication_differs(case: Case) -> None:
    """A VNI that floods otherwise than the fabric: its VTEP is not in the others' lists."""
    for check in case.open(CheckKind.REPLICATION):
        node, number = check.node, check.vni or 0
        case.name(
            CauseKind.REPLICATION_DIFFERS,
            [node],
            f"VNI {number} of {node} floods by {check.seen}, the file wants {check.expected}",
            f"on {node}: {case.advice(node).replication}",
            [check],
            vni_trouble(case, node, [number]),
        )


def tunnels_down(case: Case) -> None:
    """VTEPs that know each other's routes and have no tunnel."""
    kind = CheckKind.TUNNELS
    failing = {frozenset({c.node, peer}) for c in case.open(kind) for peer in c.peers}
    working = {
        frozenset({check.node, other})
        for check in case.passed(kind)
        for other in case.fabric.vteps
        if other != check.node
    }
    for nodes, pairs in culprits(failing, working - failing):
        proof = [c for c in case.open(kind) if any(pair <= c.nodes for pair in pairs)]
        if proof:
            _tunnel(case, nodes, proof)


def _tunnel(case: Case, nodes: tuple[str, ...], proof: list[Check]) -> None:
    who = " and ".join(nodes)
    what = f"no VTEP has a tunnel to {who}" if len(nodes) == 1 else f"no tunnel between {who}"
    case.name(
        CauseKind.TUNNEL_DOWN,
        nodes,
        f"{what}, though nothing in BGP that was checked says why",
        f"on {nodes[0]}: {case.advice(nodes[0]).tunnel}",
        proof,
        lambda _check: False,
    )


def tcam_not_carved(case: Case) -> None:
    """ARP suppression without room for it: NX-OS refuses it, and floods ARP as before."""
    for check in case.open(CheckKind.TCAM):
        node = check.node
        case.name(
            CauseKind.TCAM_NOT_CARVED,
            [node],
            f"{node} is to suppress ARP and has no TCAM for it: {check.seen}",
            f"on {node}: {case.advice(node).tcam}",
            [check],
            lambda _check: False,
        )
