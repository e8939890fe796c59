"""From failed checks to probable causes: reachability, session, counts, routes, MACs, pings.

Each detector sees only what the ones before it left unexplained, so that one fault is named once
and what follows from it is listed below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labctl.verify.causes import appliance, cables, counts, forwarding, overlay, sessions, vtepsets
from labctl.verify.causes.case import Case
from labctl.verify.fabric import Fabric
from labctl.verify.model import Cause, CauseKind, Check

_DETECTORS: tuple[Callable[[Case], None], ...] = (
    cables.pulled,
    sessions.nodes_down,
    sessions.daemons_down,
    sessions.low_memory,
    appliance.boot_unset,
    sessions.shut,
    sessions.prefix_limit,
    sessions.not_configured,
    sessions.underlay_down,
    sessions.down,
    overlay.nve_down,
    counts.not_advertising,
    counts.not_reflecting,
    counts.not_receiving,
    overlay.vnis_down,
    appliance.replication_differs,
    overlay.targets_differ,
    vtepsets.vteps_silent,
    vtepsets.vteps_missing,
    vtepsets.vteps_unexpected,
    overlay.l3vnis_down,
    forwarding.gateways_absent,
    overlay.router_macs_missing,
    overlay.prefixes_missing,
    appliance.tunnels_down,
    appliance.tcam_not_carved,
    forwarding.gateways_silent,
    forwarding.hosts_down,
    forwarding.not_forwarding,
)


def find_causes(fabric: Fabric, checks: Sequence[Check]) -> tuple[Cause, ...]:
    """The causes, most fundamental first; none when nothing failed."""
    case = Case(fabric, checks)
    for detect in _DETECTORS:
        detect(case)
    _unexplained(case)
    return tuple(case.causes)


def _unexplained(case: Case) -> None:
    left = case.open()
    for node in dict.fromkeys(check.node for check in left):
        mine = [check for check in left if check.node == node]
        what = ", ".join(dict.fromkeys(str(check.kind) for check in mine))
        case.name(
            CauseKind.UNEXPLAINED,
            [node],
            f"{node}: {what} failed for a reason labctl does not know",
            f"compare what was expected and seen in its checks; labctl console {case.lab} {node}",
            mine,
            lambda _check: False,
        )
