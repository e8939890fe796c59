"""What a verification found: what was proved, what is wrong, who is to blame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from labctl.report.paint import Paint, clean, count
from labctl.verify.model import Cause, Check, CheckKind, Status, VerifyReport

PROVED = {
    CheckKind.NODE: "nodes answer",
    CheckKind.DAEMONS: "routing daemons run",
    CheckKind.MEMORY: "guests have memory to spare",
    CheckKind.ROUTE_MEMORY: "switches keep enough memory for routes",
    CheckKind.LOG: "logs say nothing about too little memory",
    CheckKind.BOOT: "switches have an image for their next reload",
    CheckKind.UNDERLAY: "underlay adjacencies are up",
    CheckKind.SESSION: "BGP EVPN sessions are established",
    CheckKind.COUNTS: "sessions carry the routes they should",
    CheckKind.NVE: "NVE interfaces are up, with their VTEP's address",
    CheckKind.VNI: "VNIs are up",
    CheckKind.REPLICATION: "VNIs flood as the file says",
    CheckKind.ROUTE_TARGET: "route targets match between VTEPs",
    CheckKind.VTEP_SET: "VNIs know all their VTEPs and no others",
    CheckKind.TUNNELS: "tunnels to all VTEPs are up",
    CheckKind.TYPE3: "type-3 routes: every VTEP is in every flood list",
    CheckKind.TYPE2: "type-2 routes: hosts are known across the fabric",
    CheckKind.L3VNI: "L3 VNIs of the VRFs are up",
    CheckKind.ROUTER_MAC: "router MACs of remote VTEPs are known",
    CheckKind.TYPE5: "type-5 routes: prefixes of the VRFs are known",
    CheckKind.VRF_ROUTES: "VRF routing tables lead over VXLAN",
    CheckKind.GATEWAY: "anycast gateways are present",
    CheckKind.TCAM: "TCAM is carved where ARP suppression needs it",
    CheckKind.PING_GATEWAY: "pings from hosts to their gateway",
    CheckKind.PING_NETWORK: "pings between hosts in one VNI, over VXLAN",
    CheckKind.PING_VRF: "pings between hosts across VNIs, routed over VXLAN",
    CheckKind.PING_OTHER: "other pings",
}
_MARKS = {Status.PASS: ("good", "✓"), Status.FAIL: ("bad", "✗"), Status.NOT_CHECKED: ("warn", "?")}
_WORST_FIRST = (Status.FAIL, Status.NOT_CHECKED, Status.PASS)
_STYLES = {True: "good", False: "bad", None: "warn"}
_NOT_CHECKED_SHOWN = 5


def verify_lines(report: VerifyReport, paint: Paint) -> list[str]:
    """The verdict, the causes, the checks by kind, and each check that failed."""
    lines = [f"verify of {report.lab}: {paint(_STYLES[report.healthy], report.summary)}"]
    lines += proved_lines(report, paint)
    for cause in report.causes:
        lines += _cause(cause, paint)
    lines += [f"  note: {clean(note)}" for note in report.notes]
    return lines


def proved_lines(report: VerifyReport, paint: Paint) -> list[str]:
    """A line per kind of check with how many passed; below it those that didn't."""
    lines = []
    for kind in CheckKind:
        checks = [check for check in report.checks if check.kind is kind]
        if checks:
            lines.append(_kind(kind, checks, paint))
            lines += _failed(checks, paint)
            lines += _not_checked(checks, paint)
    return lines


def _kind(kind: CheckKind, checks: Sequence[Check], paint: Paint) -> str:
    passed = sum(check.status is Status.PASS for check in checks)
    found = {check.status for check in checks}
    worst = next(status for status in _WORST_FIRST if status in found)
    style, mark = _MARKS[worst]
    return f"  {paint(style, mark)} {passed:>4}/{len(checks):<4} {PROVED[kind]}"


def _failed(checks: Iterable[Check], paint: Paint) -> list[str]:
    lines = []
    for check in checks:
        if check.status is Status.FAIL:
            subject = f"{check.node}: {check.subject}" if check.subject else check.node
            lines.append(f"        {paint('bad', clean(subject))}")
            lines.append(f"          expected {clean(check.expected)}")
            lines.append(f"          seen     {clean(check.seen)}")
    return lines


def _not_checked(checks: Iterable[Check], paint: Paint) -> list[str]:
    missing = Counter((c.node, c.seen) for c in checks if c.status is Status.NOT_CHECKED)
    shown = list(missing)[:_NOT_CHECKED_SHOWN]
    lines = [f"        {paint('warn', node)}: not checked: {clean(why)}" for node, why in shown]
    if more := missing.total() - sum(missing[each] for each in shown):
        lines.append(f"        and {more} more not checked")
    return lines


def _cause(cause: Cause, paint: Paint) -> list[str]:
    nodes = ", ".join(cause.nodes) or "the fabric"
    failed = len(cause.evidence) + len(cause.consequences)
    return [
        f"{paint('bad', 'probable cause:')} {cause.kind.value} on {paint('bold', nodes)}",
        f"  {clean(cause.message)}",
        f"  it explains {count(failed, 'failed check')}",
        f"  next: {clean(cause.resolution)}",
    ]
