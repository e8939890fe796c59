"""Causes that only pings show, once routes are as they should be."""

from __future__ import annotations

from labctl.verify.causes.cables import where_to_plug
from labctl.verify.causes.case import PINGS, Case, Explains, by_node, either, involving
from labctl.verify.causes.overlay import tenants_of
from labctl.verify.make import listed
from labctl.verify.model import CauseKind, Check, CheckKind, Status

_FAR = (CheckKind.PING_NETWORK, CheckKind.PING_VRF, CheckKind.PING_OTHER)


def gateways_absent(case: Case) -> None:
    """A VTEP whose own VRF table lacks a gateway's subnet; then it does not announce it either."""
    for check in case.open(CheckKind.GATEWAY):
        _gateway(case, check.node, check.vni or 0, check.expected, [check])


def gateways_silent(case: Case) -> None:
    """A VTEP whose gateway no host of a network reaches."""
    silent: dict[tuple[str, int], list[Check]] = {}
    for check in case.open(CheckKind.PING_GATEWAY):
        if _reaches_something(case, check.node) or len(_neighbours(case, check)) > 1:
            silent.setdefault((check.peers[0], check.vni or 0), []).append(check)
    for (leaf, vni), proof in silent.items():
        hosts = {check.node for check in proof}
        if hosts >= _hosts_in(case, leaf, vni) and not _connected(case, leaf, vni):
            _gateway(case, leaf, vni, proof[0].subject, proof)


def _gateway(case: Case, leaf: str, vni: int, what: str, proof: list[Check]) -> None:
    case.name(
        CauseKind.GATEWAY_MISSING,
        [leaf],
        f"gateway missing on {leaf}, VNI {vni}: {what}",
        f"on {leaf}: {case.advice(leaf).gateway}",
        proof,
        either(involving(PINGS, leaf), _unannounced(case, leaf, vni)),
    )


def _unannounced(case: Case, leaf: str, vni: int) -> Explains:
    """Explains missing type-5 routes of a subnet that is not connected at `leaf`."""
    floors = {**case.fabric.floors, leaf: case.fabric.floors[leaf] - 1}
    tenants = tenants_of(case, [vni])
    prefixes = involving((CheckKind.TYPE5, CheckKind.VRF_ROUTES), leaf)
    return either(lambda c: c.vni in tenants and prefixes(c), case.short_of(floors))


def _reaches_something(case: Case, host: str) -> bool:
    return any(check.node == host for check in case.passed(*PINGS))


def _hosts_in(case: Case, leaf: str, vni: int) -> set[str]:
    legs = case.fabric.legs
    return {h for h, leg in legs if leg.network.vni == vni and leaf in case.fabric.leaf_of[h]}


def _neighbours(case: Case, check: Check) -> set[str]:
    """The hosts on the same leaf and network, the pinging one included."""
    return _hosts_in(case, check.peers[0], check.vni or 0) if check.peers else set()


def _connected(case: Case, leaf: str, vni: int) -> bool:
    """Whether the leaf itself shows the gateway's subnet as connected."""
    return any(c.node == leaf and c.vni == vni for c in case.passed(CheckKind.GATEWAY))


def hosts_down(case: Case) -> None:
    """A host that reaches none of its gateways, or that nobody reaches and that says nothing."""
    for host, proof in by_node(case.open(CheckKind.PING_GATEWAY)).items():
        if not _reaches_something(case, host):
            _host(case, host, f"{host} reaches none of its gateways", proof)
    for host in case.fabric.hosts:
        towards = [c for c in case.open(*_FAR) if c.peers and c.peers[0] == host]
        own = [c for c in case.checks if c.node == host and c.kind in PINGS]
        said_nothing = all(c.status is not Status.PASS for c in own)
        reached = any(c.peers and c.peers[0] == host for c in case.passed(*_FAR))
        if towards and said_nothing and not reached:
            _host(case, host, f"nobody reaches {host}", towards)


def _host(case: Case, host: str, what: str, proof: list[Check]) -> None:
    ports = case.fabric.hosts[host].ports
    wires = listed(str(port.link) for port in ports)
    ask = f"{where_to_plug(case, ports[0].link)}; " if ports else ""
    case.name(
        CauseKind.HOST_DOWN,
        [host],
        f"{what}: the host, its link ({wires}), or its addresses",
        f"{ask}look at it: labctl console {case.lab} {host}",
        proof,
        lambda check: check.kind in PINGS and host in check.nodes,
    )


def not_forwarding(case: Case) -> None:
    """Routes are there, hosts are alive, and still packets do not pass."""
    groups: dict[tuple[str, ...], list[Check]] = {}
    for check in case.open(*PINGS):
        leaves = tuple(sorted(name for name in check.nodes if name in case.fabric.switches))
        groups.setdefault(leaves or (check.node,), []).append(check)
    for nodes, proof in groups.items():
        vnis = listed({check.vni for check in proof if check.vni is not None})
        case.name(
            CauseKind.NO_FORWARDING,
            nodes,
            f"packets do not pass between hosts on {' and '.join(nodes)} (VNI {vnis}), though "
            "nothing in the control plane that was checked says why",
            f"on {nodes[0]}: {case.advice(nodes[0]).forwarding}",
            proof,
            lambda _check: False,
        )
