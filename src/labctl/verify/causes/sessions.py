"""Causes up to the BGP session: nodes, daemons, memory, links, configuration."""

from __future__ import annotations

from labctl.devices.facts import ADMIN_DOWN, PREFIX_LIMIT
from labctl.devices.reading import Unknown
from labctl.model.lab import Routing
from labctl.verify.causes.blame import culprits
from labctl.verify.causes.cables import where_to_plug
from labctl.verify.causes.case import (
    PINGS,
    SESSIONS,
    Case,
    Explains,
    between,
    by_node,
    either,
    involving,
)
from labctl.verify.control import NOT_CONFIGURED
from labctl.verify.make import listed
from labctl.verify.model import CauseKind, Check, CheckKind

_VNIS = frozenset({CheckKind.VNI, CheckKind.L3VNI})
_MEMORY = (CheckKind.MEMORY, CheckKind.ROUTE_MEMORY, CheckKind.LOG)


def nodes_down(case: Case) -> None:
    """Nodes that could not be asked at all."""
    for check in case.open(CheckKind.NODE):
        gone = check.node
        case.name(
            CauseKind.NODE_DOWN,
            [gone],
            f"{gone} does not answer: {check.seen}",
            f"see its console: labctl logs {case.lab} {gone}; "
            f"start it: labctl up {case.lab} --node {gone}",
            [check],
            either(
                involving(SESSIONS | PINGS, gone),
                case.lost({gone} | case.cut_off()),
            ),
        )


def daemons_down(case: Case) -> None:
    """Nodes of which a routing daemon does not run, or runs and does not answer."""
    for check in case.open(CheckKind.DAEMONS):
        node = check.node
        case.name(
            CauseKind.DAEMON_DOWN,
            [node],
            f"a routing daemon of {node} does not work: {check.seen}",
            f"see why on its console: labctl console {case.lab} {node}",
            [check],
            either(
                involving(SESSIONS, node),
                case.lost({node} | case.cut_off()),
                _given_by_bgp(check),
            ),
        )


def _given_by_bgp(daemon: Check) -> Explains:
    """FRR's zebra has its VNIs from bgpd (`advertise-all-vni`), and drops them when it ends."""
    ended = "bgpd is not running" in daemon.seen
    return lambda check: ended and check.node == daemon.node and check.kind in _VNIS


def low_memory(case: Case) -> None:
    """Short memory is named before all else, but explains nothing by itself."""
    for node, proof in by_node(case.open(*_MEMORY)).items():
        seen = "; ".join(f"{check.seen}, expected {check.expected}" for check in proof)
        follows = case.advice(node).memory_lacks
        case.name(
            CauseKind.LOW_MEMORY,
            [node],
            f"{node} is short of memory: {seen}" + (f"; {follows}" if follows else ""),
            f"raise `memory` of {node} in the topology file, then labctl up FILE",
            proof,
            lambda _check: False,
        )


def shut(case: Case) -> None:
    """A session that one end has shut down by configuration: that end is to blame."""
    mine = [c for c in case.open(CheckKind.SESSION, CheckKind.UNDERLAY) if ADMIN_DOWN in c.seen]
    for node, proof in by_node(mine).items():
        others = listed({peer for check in proof for peer in check.peers})
        _session_cause(
            case,
            CauseKind.SESSION_SHUT,
            node,
            f"{node} has shut down its BGP session with {others}",
            f"on {node}: {case.advice(node).unshut}",
            proof,
        )


def prefix_limit(case: Case) -> None:
    """A session that one end keeps down for it got more than it allows: that end shows it."""
    mine = [c for c in case.open(CheckKind.SESSION, CheckKind.UNDERLAY) if PREFIX_LIMIT in c.seen]
    for node, proof in by_node(mine).items():
        others = listed({peer for check in proof for peer in check.peers})
        _session_cause(
            case,
            CauseKind.PREFIX_LIMIT,
            node,
            f"{node} has closed its BGP session with {others}: more prefixes than it allows",
            f"on {node}: {case.advice(node).prefix_limit}",
            proof,
        )


def not_configured(case: Case) -> None:
    """A neighbor one end does not have: its configuration, or its address family, is amiss."""
    mine = [c for c in case.open(CheckKind.SESSION, CheckKind.UNDERLAY) if c.seen == NOT_CONFIGURED]
    for node, proof in by_node(mine).items():
        others = listed({peer for check in proof for peer in check.peers})
        table = case.fabric.readings[node].evpn_peers
        if isinstance(table, Unknown) or table:
            what = f"{node} has no BGP neighbor {others} in the address family"
        else:
            what = f"{node} has no EVPN neighbor at all: its EVPN address family is not active"
        _session_cause(
            case,
            CauseKind.SESSION_NOT_CONFIGURED,
            node,
            what,
            f"on {node}: {case.advice(node).activate} for {others}",
            proof,
        )


def _session_cause(
    case: Case, kind: CauseKind, node: str, message: str, resolution: str, proof: list[Check]
) -> None:
    pairs = {check.nodes for check in proof}
    case.name(
        kind,
        [node],
        message,
        resolution,
        proof,
        either(between(SESSIONS, pairs), case.broken(pairs)),
    )


def underlay_down(case: Case) -> None:
    """Adjacencies: a node without any is to blame alone, else it is the one link."""
    kind = CheckKind.UNDERLAY
    failing = {check.nodes for check in case.open(kind)}
    for nodes, pairs in culprits(failing, case.working(kind)):
        proof = [check for check in case.open(kind) if check.nodes in pairs]
        explains = either(between(SESSIONS, pairs), case.broken(pairs))
        if len(nodes) == 1 and len(pairs) > 1:
            cause, message, resolution = _isolated(case, nodes[0])
            # Its sessions stand until their hold time is over; no next hop resolves all the same.
            explains = either(explains, case.lost(nodes))
        else:
            cause, message, resolution = _link(case, proof)
        case.name(cause, nodes, message, resolution, proof, explains)


def _isolated(case: Case, node: str) -> tuple[CauseKind, str, str]:
    routing = "OSPF" if case.fabric.intent.lab.fabric.routing is Routing.OSPF else "BGP"
    return (
        CauseKind.UNDERLAY_DOWN,
        f"{node} has no underlay adjacency on any fabric link: {routing} or all its links are down",
        f"on {node}: are its fabric interfaces up, does {routing} run on them? "
        f"labctl console {case.lab} {node}",
    )


def _link(case: Case, proof: list[Check]) -> tuple[CauseKind, str, str]:
    node = proof[0].node
    far = proof[0].peers[0]
    ports = [p for p in case.fabric.switches[node].ports if p.far.node == far]
    named = [p for p in ports if p.name == proof[0].subject] or ports
    wire = str(named[0].link) if named else f"{node} -- {far}"
    ask = f"{where_to_plug(case, named[0].link)}; " if named else ""
    return (
        CauseKind.LINK_DOWN,
        f"no underlay adjacency over the link {wire}",
        f"{ask}look at the interfaces of {node} and {far}",
    )


def down(case: Case) -> None:
    """Sessions that are configured at both ends, as far as is seen, and do not come up."""
    kind = CheckKind.SESSION
    failing = {check.nodes for check in case.open(kind)}
    for nodes, pairs in culprits(failing, case.working(kind)):
        proof = [check for check in case.open(kind) if check.nodes in pairs]
        states = listed({check.seen for check in proof})
        if len(nodes) == 1:
            what = f"no EVPN session of {nodes[0]} is up ({states}): it can't be reached"
        else:
            what = f"the EVPN session between {' and '.join(nodes)} is down ({states})"
        case.name(
            CauseKind.SESSION_DOWN,
            nodes,
            f"{what}, or its BGP is configured otherwise than at the other end",
            f"can {nodes[0]} ping the loopbacks of the other end? "
            "If so, compare AS numbers, addresses and address families",
            proof,
            either(between(SESSIONS, pairs), case.broken(pairs)),
        )
