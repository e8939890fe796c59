"""The failed checks on the table while causes are looked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from labctl.devices.api import Advice
from labctl.devices.facts import Peer
from labctl.devices.reading import Unknown
from labctl.model.intent import BgpPeer
from labctl.verify.control import enough, flow
from labctl.verify.fabric import Fabric
from labctl.verify.model import Cause, CauseKind, Check, CheckKind, Status

Explains = Callable[[Check], bool]

PINGS = frozenset(
    {
        CheckKind.PING_GATEWAY,
        CheckKind.PING_NETWORK,
        CheckKind.PING_VRF,
        CheckKind.PING_OTHER,
    }
)
ROUTES = frozenset(
    {
        CheckKind.VTEP_SET,
        CheckKind.TUNNELS,
        CheckKind.TYPE3,
        CheckKind.TYPE2,
        CheckKind.ROUTER_MAC,
        CheckKind.TYPE5,
        CheckKind.VRF_ROUTES,
    }
)
SESSIONS = frozenset({CheckKind.UNDERLAY, CheckKind.SESSION, CheckKind.COUNTS})


class Case:
    """Detectors take failed checks off the table by naming a cause that explains them."""

    def __init__(self, fabric: Fabric, checks: Sequence[Check]) -> None:
        self.fabric = fabric
        self.checks = checks
        self.causes: list[Cause] = []
        self._open = {check.id: check for check in checks if check.status is Status.FAIL}

    @property
    def lab(self) -> str:
        """The lab's name, for commands a resolution gives."""
        return self.fabric.intent.lab.name

    def advice(self, node: str) -> Advice:
        """What to do on a node, in its device's own commands."""
        return self.fabric.devices[node].advice

    def open(self, *kinds: CheckKind) -> list[Check]:
        """Failed checks not yet explained, of `kinds` (all when none is named)."""
        return [c for c in self._open.values() if not kinds or c.kind in kinds]

    def failed(self, *kinds: CheckKind) -> list[Check]:
        """Failed checks of `kinds`, explained or not."""
        return [c for c in self.checks if c.status is Status.FAIL and c.kind in kinds]

    def passed(self, *kinds: CheckKind) -> list[Check]:
        return [c for c in self.checks if c.status is Status.PASS and c.kind in kinds]

    def name(
        self,
        kind: CauseKind,
        nodes: Iterable[str],
        message: str,
        resolution: str,
        evidence: Iterable[Check],
        explains: Explains,
        *,
        unplugged: tuple[str, ...] = (),
    ) -> None:
        """Record a cause; its evidence and all it explains come off the table."""
        proof = tuple(check.id for check in evidence)
        follow = [c.id for c in self._open.values() if c.id not in proof and explains(c)]
        self.causes.append(
            Cause(kind, tuple(nodes), message, resolution, proof, tuple(follow), unplugged)
        )
        for identity in (*proof, *follow):
            self._open.pop(identity, None)

    def peers(self, node: str) -> list[tuple[BgpPeer, Peer]]:
        """The established EVPN sessions of a node, as it has them."""
        table = self.fabric.readings[node].evpn_peers
        if isinstance(table, Unknown):
            return []
        wanted = self.fabric.switches[node].peers
        found = [(peer, table.get(peer.key)) for peer in wanted if peer.evpn]
        return [(peer, seen) for peer, seen in found if seen is not None and seen.established]

    def cut_off(self) -> frozenset[str]:
        """VTEPs with failed EVPN sessions and not one that is seen to be up."""
        down = frozenset[str]().union(*(c.nodes for c in self.failed(CheckKind.SESSION)))
        up = frozenset[str]().union(*self.working(CheckKind.SESSION))
        return (down - up) & self.fabric.vteps.keys()

    def working(self, kind: CheckKind) -> set[frozenset[str]]:
        """Pairs of nodes between which checks of `kind` passed and none failed.

        One end alone proves nothing: a session that carries IPv4 is established at both ends,
        though only one of them has the EVPN address family active.
        """
        return {c.nodes for c in self.passed(kind)} - {c.nodes for c in self.failed(kind)}

    def lost(self, nodes: Iterable[str]) -> Explains:
        """Explains what follows when `nodes` announce and learn nothing."""
        gone = frozenset(nodes)
        floors = {name: 0 if name in gone else n for name, n in self.fabric.floors.items()}
        short = self.short_of(floors, gone)

        def explains(check: Check) -> bool:
            if check.kind is CheckKind.COUNTS:
                return short(check)
            if check.kind in PINGS - {CheckKind.PING_GATEWAY}:
                return bool(check.nodes & gone)
            if check.kind in ROUTES:
                return check.node in gone or (bool(check.peers) and gone.issuperset(check.peers))
            return False

        return explains

    def broken(self, pairs: Iterable[frozenset[str]]) -> Explains:
        """Explains what follows from sessions between `pairs` being down.

        Counts on them; what a spine of one can't pass on; what a VTEP left alone can't do.
        """
        given = frozenset(pairs)

        def explains(check: Check) -> bool:
            if check.kind is not CheckKind.COUNTS:
                return False
            floors = {
                name: 0 if any({name, end} in given for end in check.nodes - {name}) else floor
                for name, floor in self.fabric.floors.items()
            }
            return check.nodes in given or self.short_of(floors)(check)

        return either(explains, self.lost(self.cut_off()))

    def short_of(self, floors: Mapping[str, int], gone: frozenset[str] = frozenset()) -> Explains:
        """Explains prefix counts that would do if the VTEPs announced `floors` only."""

        def explains(check: Check) -> bool:
            if check.kind is not CheckKind.COUNTS:
                return False
            if check.nodes & gone:
                return True
            least = {
                peer.key: (seen, flow(self.fabric, check.node, peer, floors))
                for peer, seen in self.peers(check.node)
            }
            return check.subject in least and enough(*least[check.subject])

        return explains


def by_node(checks: Collection[Check]) -> Mapping[str, list[Check]]:
    """Checks grouped by node, in their order."""
    groups: dict[str, list[Check]] = {}
    for check in checks:
        groups.setdefault(check.node, []).append(check)
    return groups


def either(*explains: Explains) -> Explains:
    """Explains what any of them does."""
    return lambda check: any(each(check) for each in explains)


def involving(kinds: Iterable[CheckKind], node: str) -> Explains:
    """Explains checks of `kinds` that `node` has a part in."""
    wanted = frozenset(kinds)
    return lambda check: check.kind in wanted and node in check.nodes


def between(kinds: Iterable[CheckKind], pairs: Iterable[frozenset[str]]) -> Explains:
    """Explains checks of `kinds` between the nodes of one of `pairs`."""
    wanted, given = frozenset(kinds), frozenset(pairs)
    return lambda check: check.kind in wanted and check.nodes in given
