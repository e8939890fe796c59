"""Cables known to be pulled: the hypervisor tells, so they come before all that is guessed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from labctl.devices.facts import ADMIN_DOWN, PREFIX_LIMIT
from labctl.model.intent import LinkKind
from labctl.model.lab import Link
from labctl.verify.causes.case import PINGS, SESSIONS, Case, Explains, either
from labctl.verify.control import NOT_CONFIGURED
from labctl.verify.model import CauseKind, Check, CheckKind

_TOLD = (ADMIN_DOWN, PREFIX_LIMIT, NOT_CONFIGURED)
"""What a node says of its own configuration: no cable explains it."""


@dataclass(frozen=True, slots=True)
class _Cable:
    """A link with one end pulled, or both."""

    link: Link
    ends: tuple[str, ...]

    @property
    def nodes(self) -> frozenset[str]:
        return frozenset({self.link.a.node, self.link.b.node})


def pulled(case: Case) -> None:
    """Name each pulled cable that something fails for.

    What runs over the cable itself is its own; what else a VTEP at its end lacks, or others lack of
    it, follows too: until the protocols have noticed and found a way round, all of that may fail.
    """
    cables = _cables(case)
    own = [[check for check in case.open() if _runs_over(case, cable, check)] for cable in cables]
    taken = {check.id for checks in own for check in checks}
    ends = frozenset[str]().union(*(cable.nodes for cable in cables))
    beyond = _beyond(case, cables, ends & case.fabric.vteps.keys())
    for cable, direct in zip(cables, own, strict=True):
        left = [c for c in case.open() if c.id not in taken and beyond(c)]
        proof = direct or [c for c in left if c.nodes & cable.nodes]
        if proof:
            _name(case, cable, proof, left)


def _name(case: Case, cable: _Cable, proof: list[Check], left: list[Check]) -> None:
    follow = {check.id for check in left}
    case.name(
        CauseKind.LINK_DOWN,
        dict.fromkeys(end.partition(":")[0] for end in cable.ends),
        f"the cable {cable.link} is unplugged at {' and '.join(cable.ends)}",
        "; ".join(f"plug it: {plug(case.lab, end)}" for end in cable.ends),
        proof,
        lambda check: check.id in follow,
        unplugged=cable.ends,
    )


def plug(lab: str, end: object) -> str:
    """The command that plugs an end."""
    return f"labctl link {lab} {end} up"


def remarks(lab: str, unplugged: Collection[str], named: Collection[str]) -> tuple[str, ...]:
    """Pulled ends that no cause names: nothing fails for them, or not yet."""
    return tuple(
        f"{end} is unplugged, and nothing fails for it (yet); plug it: {plug(lab, end)}"
        for end in sorted(set(unplugged) - set(named))
    )


def where_to_plug(case: Case, link: Link) -> str:
    """What to do about a link that carries nothing, by what is known of its ends."""
    if case.fabric.evidence.unplugged is not None:
        return "neither end is unplugged"
    return (
        f"is it unplugged? {plug(case.lab, link.a)}, or at its other end: "
        f"{plug(case.lab, link.b)} (`labctl status {case.lab}` tells which)"
    )


def _cables(case: Case) -> list[_Cable]:
    """A wire of the user's own carries nothing that is checked."""
    unplugged, intent = case.fabric.evidence.unplugged or frozenset(), case.fabric.intent
    found = []
    for link in intent.lab.links if unplugged else ():
        ends = tuple(end for end in (str(link.a), str(link.b)) if end in unplugged)
        kinds = {port.kind for port in intent.nodes[link.a.node].ports if port.link == link}
        if ends and LinkKind.EXTRA not in kinds:
            found.append(_Cable(link, ends))
    return found


def _runs_over(case: Case, cable: _Cable, check: Check) -> bool:
    """Sessions between its ends; all pings of a host at one of them."""
    hosts = cable.nodes & case.fabric.hosts.keys()
    if hosts:
        return check.kind in PINGS and bool(hosts & check.nodes)
    if check.kind not in SESSIONS or check.nodes != cable.nodes or _is_told(check):
        return False
    ports = case.fabric.switches[check.node].ports
    named = [port for port in ports if port.name == check.subject]
    return not named or named[0].link == cable.link


def _is_told(check: Check) -> bool:
    return any(words in check.seen for words in _TOLD)


def _beyond(case: Case, cables: Collection[_Cable], vteps: frozenset[str]) -> Explains:
    """What else fails for the cables: at VTEPs they end at, and of hosts they lead to."""
    between = [cable.nodes for cable in cables if not cable.nodes & case.fabric.hosts.keys()]
    gone = vteps & frozenset[str]().union(*between)
    hosted = vteps - gone

    def explains(check: Check) -> bool:
        if check.kind is CheckKind.TYPE2:
            return bool(hosted & {*check.peers})
        return check.kind is CheckKind.TUNNELS and bool(gone & check.nodes)

    return either(explains, case.lost(gone), case.broken(between))
