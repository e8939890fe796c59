"""What a verification finds: checks, probable causes, and the verdict over all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from labctl.errors import ExitCode


class CheckKind(StrEnum):
    """What a check is about, in the order in which faults bring about one another."""

    NODE = "node answers"
    DAEMONS = "daemons run"
    MEMORY = "memory"
    ROUTE_MEMORY = "route memory"
    LOG = "log"
    BOOT = "boot variable"
    UNDERLAY = "underlay adjacency"
    SESSION = "EVPN session"
    COUNTS = "EVPN prefix counts"
    NVE = "NVE interface"
    VNI = "VNI up"
    REPLICATION = "replication"
    ROUTE_TARGET = "route targets"
    VTEP_SET = "VTEP set"
    TUNNELS = "tunnels"
    TYPE3 = "type-3 routes"
    TYPE2 = "type-2 routes"
    L3VNI = "L3 VNI up"
    ROUTER_MAC = "router MACs"
    TYPE5 = "type-5 routes"
    VRF_ROUTES = "VRF routes"
    GATEWAY = "gateway present"
    TCAM = "TCAM"
    PING_GATEWAY = "ping to the gateway"
    PING_NETWORK = "ping within the network"
    PING_VRF = "ping across networks"
    PING_OTHER = "ping"


class Status(StrEnum):
    """What came of a check. NOT_CHECKED is neither: the evidence is missing or unreadable."""

    PASS = "pass"
    FAIL = "fail"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the file wants, held against what was seen.

    `seen` says why when nothing was checked. `peers` are the other nodes it involves, `vni` the
    VNI it is about.
    """

    id: str
    kind: CheckKind
    node: str
    subject: str
    status: Status
    expected: str
    seen: str
    peers: tuple[str, ...] = ()
    vni: int | None = None

    @property
    def nodes(self) -> frozenset[str]:
        """All the nodes it involves."""
        return frozenset({self.node, *self.peers})


class CauseKind(StrEnum):
    """The faults labctl can tell apart."""

    NODE_DOWN = "node down"
    DAEMON_DOWN = "routing daemon down"
    LOW_MEMORY = "low memory"
    BOOT_UNSET = "boot variable not set"
    SESSION_SHUT = "session shut down"
    PREFIX_LIMIT = "too many prefixes"
    SESSION_NOT_CONFIGURED = "session not configured"
    UNDERLAY_DOWN = "underlay down"
    LINK_DOWN = "link down"
    SESSION_DOWN = "session down"
    NOT_REFLECTING = "established but empty: not reflecting"
    NOT_ADVERTISING = "established but empty: not advertising"
    NOT_RECEIVING = "established but empty: not receiving"
    VNI_DOWN = "VNI down"
    REPLICATION_DIFFERS = "replication differs"
    RT_MISMATCH = "route target mismatch"
    VTEP_MISSING = "VTEP missing"
    VTEP_UNEXPECTED = "unexpected VTEP"
    TUNNEL_DOWN = "tunnel down"
    L3VNI_DOWN = "L3 VNI down"
    ROUTER_MAC_MISSING = "router MAC missing"
    PREFIXES_MISSING = "prefixes missing"
    TCAM_NOT_CARVED = "TCAM not carved"
    GATEWAY_MISSING = "gateway missing"
    HOST_DOWN = "host down"
    NO_FORWARDING = "no forwarding"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Cause:
    """A probable cause: the nodes to blame, why, and what to do.

    `evidence` are the ids of the failed checks that point to it, `consequences` of those that
    follow from it. `unplugged` are the ends (NODE:INTERFACE) known to be pulled that it names.
    """

    kind: CauseKind
    nodes: tuple[str, ...]
    message: str
    resolution: str
    evidence: tuple[str, ...]
    consequences: tuple[str, ...] = ()
    unplugged: tuple[str, ...] = ()


class Verdict(StrEnum):
    """The whole in a word. INCOMPLETE: nothing failed, but not everything was checked."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    INCOMPLETE = "nothing wrong in what was checked"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All checks, in an order that stays the same, and what they come to.

    `healthy` is true only where everything was checked and passed, false where anything failed,
    else None. `notes` tell of evidence that was not used.
    """

    lab: str
    verdict: Verdict
    healthy: bool | None
    summary: str
    causes: tuple[Cause, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """UNHEALTHY when a check failed; what was not checked does not change it."""
        return ExitCode.UNHEALTHY if self.healthy is False else ExitCode.DONE

    def count(self, status: Status) -> int:
        return sum(check.status is status for check in self.checks)


def make_report(
    lab: str, checks: tuple[Check, ...], causes: tuple[Cause, ...], notes: tuple[str, ...]
) -> VerifyReport:
    """Draw the verdict from the checks."""
    count = {status: sum(check.status is status for check in checks) for status in Status}
    passed, failed, open_ = count[Status.PASS], count[Status.FAIL], count[Status.NOT_CHECKED]
    if failed:
        verdict = Verdict.UNHEALTHY
    elif not passed:
        verdict = Verdict.NOT_CHECKED
    else:
        verdict = Verdict.INCOMPLETE if open_ else Verdict.HEALTHY
    healthy = {Verdict.HEALTHY: True, Verdict.UNHEALTHY: False}.get(verdict)
    summary = f"{verdict}: {passed} passed, {failed} failed, {open_} not checked"
    return VerifyReport(lab, verdict, healthy, summary, causes, checks, notes)
