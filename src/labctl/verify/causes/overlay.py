"""Causes in the VNIs: devices down, route targets that differ, tenants without routes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from labctl.model.lab import Replication
from labctl.verify.causes.case import PINGS, ROUTES, Case, Explains, by_node, either, involving
from labctl.verify.make import listed
from labctl.verify.model import CauseKind, Check, CheckKind


def vni_trouble(case: Case, node: str, vnis: Collection[int]) -> Explains:
    """Explains what follows when `node` takes no part in `vnis`."""
    floors = dict(case.fabric.floors)
    floors[node] = max(0, floors.get(node, 0) - len(vnis))
    about = {*vnis, *tenants_of(case, vnis)}

    def explains(check: Check) -> bool:
        if check.kind is CheckKind.TUNNELS:
            return node in check.nodes
        if check.kind in ROUTES or check.kind is CheckKind.ROUTE_TARGET:
            return check.vni in vnis and node in check.nodes
        if check.kind in PINGS:
            return check.vni in about and node in check.nodes
        return False

    return either(explains, case.short_of(floors))


def tenants_of(case: Case, vnis: Collection[int]) -> set[int]:
    """The L3 VNIs of the tenants whose networks `vnis` are."""
    vrfs = case.fabric.intent.lab.fabric.vrfs
    return {vrf.vni for vrf in vrfs if any(network.vni in vnis for network in vrf.networks)}


def nve_down(case: Case) -> None:
    """A VTEP whose one interface for all VNIs is down, or has another address than the file's."""
    for check in case.open(CheckKind.NVE):
        node = check.node
        vnis = {l2.network.vni for l2 in case.fabric.vteps[node].l2vnis}
        case.name(
            CauseKind.VNI_DOWN,
            [node],
            f"the NVE interface of {node} is not as it should be: {check.seen}, "
            f"the file wants it {check.expected}",
            f"on {node}: {case.advice(node).vni}",
            [check, *(c for c in case.open(CheckKind.VNI) if c.node == node)],
            either(vni_trouble(case, node, vnis), *_whole_node(case, node, every=True)),
        )


def vnis_down(case: Case) -> None:
    """VNIs that a node lacks, by its own tables or its VXLAN devices."""
    for node, proof in by_node(case.open(CheckKind.VNI)).items():
        vnis = {check.vni for check in proof if check.vni is not None}
        seen = "; ".join(dict.fromkeys(check.seen for check in proof))
        every = len(vnis) == len(case.fabric.vteps[node].l2vnis)
        case.name(
            CauseKind.VNI_DOWN,
            [node],
            f"VNI {listed(vnis)} is down on {node}: {seen}",
            f"on {node}: {case.advice(node).vni} As the file has it: "
            f"labctl rebuild {case.lab} --node {node}",
            proof,
            either(vni_trouble(case, node, vnis), *_whole_node(case, node, every=every)),
        )


def _whole_node(case: Case, node: str, *, every: bool) -> list[Explains]:
    """Without any L2 VNI a node announces nothing, and its L3 VNIs are gone with them."""
    return [case.lost({node}), involving([CheckKind.L3VNI], node)] if every else []


def targets_differ(case: Case) -> None:
    """A node that says itself that it imports or exports another route target."""
    mine = by_node(case.open(CheckKind.ROUTE_TARGET))
    dropped = {node: drops(case, node, [c.vni or 0 for c in each]) for node, each in mine.items()}
    for check in case.open(CheckKind.ROUTE_TARGET):
        number = check.vni or 0
        tenant = number in {vrf.vni for vrf in case.fabric.intent.lab.fabric.vrfs}
        trouble = tenant_trouble if tenant else _l2_trouble
        case.name(
            CauseKind.RT_MISMATCH,
            [check.node],
            f"route target mismatch on {check.node}, VNI {number}: {check.seen}; "
            f"the file wants {check.expected}",
            mend_target(case, [check.node], number),
            [check],
            either(trouble(case, check.node, number), dropped[check.node]),
        )


def _l2_trouble(case: Case, node: str, number: int) -> Explains:
    return vni_trouble(case, node, [number])


def drops(case: Case, node: str, vnis: Collection[int]) -> Explains:
    """Explains counts of `node` that do without what others announce for `vnis`.

    NX-OS drops what no VNI of its own imports, and counts what it keeps; FRR keeps all.
    """
    fabric = case.fabric
    ingress = fabric.intent.lab.fabric.replication is Replication.INGRESS
    floors = dict(fabric.floors)
    for name, vtep in fabric.vteps.items():
        floods = sum(ingress and l2.network.vni in vnis for l2 in vtep.l2vnis)
        prefixes = sum(key[0] in vnis and name in who for key, who in fabric.origins.items())
        floors[name] -= floods + prefixes
    short = case.short_of(floors)
    return lambda check: check.node == node and short(check)


def mend_target(case: Case, nodes: Sequence[str], number: object) -> str:
    """How to put a VNI's route targets right."""
    return (
        f"on {' or '.join(nodes)}, {case.advice(nodes[0]).route_target}, VNI {number}: the same "
        "`route-target import` and `export` as on the other VTEPs"
    )


def tenant_trouble(case: Case, node: str, number: int) -> Explains:
    """Explains what follows when `node` takes no part in the L3 VNI `number`."""
    floors = dict(case.fabric.floors)
    own = [key for key, names in case.fabric.origins.items() if key[0] == number and node in names]
    floors[node] = max(0, floors.get(node, 0) - len(own))
    kinds = {CheckKind.ROUTER_MAC, CheckKind.TYPE5, CheckKind.VRF_ROUTES, CheckKind.ROUTE_TARGET}

    def explains(check: Check) -> bool:
        if check.kind is CheckKind.TUNNELS:
            return node in check.nodes
        if check.kind in kinds or check.kind in PINGS:
            return check.vni == number and node in check.nodes
        return False

    return either(explains, case.short_of(floors))


def l3vnis_down(case: Case) -> None:
    """Tenants whose L3 VNI is not up on a node."""
    for check in case.open(CheckKind.L3VNI):
        number = check.vni or 0
        case.name(
            CauseKind.L3VNI_DOWN,
            [check.node],
            f"L3 VNI {check.subject} is down on {check.node}: {check.seen}",
            f"on {check.node}: {case.advice(check.node).l3vni}",
            [check],
            tenant_trouble(case, check.node, number),
        )


def router_macs_missing(case: Case) -> None:
    """A node with routes to a VTEP whose router MAC it lacks: zebra has lost it."""
    for check in case.open(CheckKind.ROUTER_MAC):
        node, number, others = check.node, check.vni or 0, listed(check.peers)
        case.name(
            CauseKind.ROUTER_MAC_MISSING,
            [node],
            f"{node} routes to {others} in L3 VNI {number} but lacks the router MAC, so what it "
            "sends there is lost",
            f"on {node}: {case.advice(node).router_mac}",
            [check],
            tenant_trouble(case, node, number),
        )


def prefixes_missing(case: Case) -> None:
    """Type-5 routes that do not come: from one originator to all, or to one node from all."""
    kinds = (CheckKind.TYPE5, CheckKind.VRF_ROUTES)
    while left := case.open(*kinds):
        number = left[0].vni or 0
        mine = [check for check in left if check.vni == number]
        sources = {peer for check in mine for peer in check.peers}
        common = [name for name in sorted(sources) if all(name in c.peers for c in mine)]
        several = len({check.node for check in mine}) > 1
        blamed = common if common and (several or len(sources) == 1) else [mine[0].node]
        if _has_type5(case, mine[0].node, number):
            blamed = [mine[0].node]
        proof = mine if blamed is common else [c for c in mine if c.node == mine[0].node]
        case.name(
            CauseKind.PREFIXES_MISSING,
            blamed,
            f"L3 VNI {number}: routes of {listed(sources)} do not reach the VRF of "
            f"{listed({check.node for check in proof})}",
            f"on {listed(blamed)}: {case.advice(blamed[0]).prefixes}",
            proof,
            tenant_trouble(case, blamed[0], number),
        )


def _has_type5(case: Case, node: str, number: int) -> bool:
    """Whether all type-5 routes came to the node, so that only its VRF lacks them."""
    return any(c.node == node and c.vni == number for c in case.passed(CheckKind.TYPE5))


def exported(case: Case, node: str) -> set[str] | None:
    """The route targets of a VTEP's type-3 routes as anybody sees them; None when nobody does."""
    found: set[str] = set()
    seen = False
    for reading in case.fabric.readings.values():
        routes = reading.routes[3]
        if isinstance(routes, tuple):
            seen = True
            for route in routes:
                if route.originator and node in case.fabric.names([route.originator]):
                    found |= route.targets
    return found if seen else None
