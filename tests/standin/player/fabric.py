"""What a switch knows of its fabric, from what all of them announce. Simulated, and simpler than
the protocols: see README.md for what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from standin.player.speaker import Port, Route, Session, Speaker

_ROUNDS = 12  # more hops than any lab has


@dataclass(frozen=True)
class Member:
    """One switch, and whom it hears on which port: port -> (id, that one's port)."""

    speaker: Speaker
    heard: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Adjacency:
    """An OSPF neighbour."""

    router_id: str
    state: str
    address: str
    port: str


@dataclass(frozen=True)
class Path:
    """A route as a switch holds it."""

    route: Route
    next_hop: str
    as_path: tuple[str, ...]
    peer: str  # address of the neighbor it came from, "" for an own one
    inner: bool  # came over iBGP
    client: bool  # came from a route reflector client


@dataclass(frozen=True)
class Peering:
    """A BGP neighbor with its state and the paths taken from it."""

    session: Session
    state: str
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Peer:
    """Another VTEP."""

    address: str
    router_mac: str  # "n/a" without a common layer 3 VNI


@dataclass(frozen=True)
class View:
    """The fabric as one switch sees it."""

    adjacencies: tuple[Adjacency, ...] = ()
    peerings: tuple[Peering, ...] = ()
    best: tuple[Path, ...] = ()
    imported: Mapping[int, tuple[Path, ...]] = field(default_factory=dict)  # by VNI
    peers: tuple[Peer, ...] = ()


Members = Mapping[str, Member]


def view(me: str, members: Members) -> View:
    """The fabric as `me` sees it."""
    up = {(a, s.address): b for a in members for s, b in _established(a, members)}
    tables = _propagate(members, up)
    own = members[me].speaker
    best = _best(tables[me])
    imported = {
        vni.vni: tuple(p for p in best if p.peer and set(p.route.targets) & set(vni.imports))
        for vni in own.vnis
        if vni.up
    }
    return View(
        adjacencies=tuple(_adjacencies(me, members)),
        peerings=tuple(_peering(session, me, members, up, tables[me]) for session in own.sessions),
        best=best,
        imported=imported,
        peers=_peers(own, imported),
    )


def _peering(
    session: Session,
    me: str,
    members: Members,
    up: Mapping[tuple[str, str], str],
    table: tuple[Path, ...],
) -> Peering:
    if session.shut:
        state = "Shut (Admin)"
    elif (me, session.address) in up:
        state = "Established"
    else:
        state = "Idle" if not _reaches(me, session, members) else "Active"
    paths = tuple(path for path in table if path.peer == session.address)
    return Peering(session, state, paths)


def _wired(me: str, members: Members) -> Iterator[tuple[Port, str, Port]]:
    """My routed ports with whom they lead to, where both hear each other."""
    ports = {port.name: port for port in members[me].speaker.ports}
    for name, (other, far) in members[me].heard.items():
        if other not in members or members[other].heard.get(far) != (me, name):
            continue
        theirs = {port.name: port for port in members[other].speaker.ports}
        if name in ports and far in theirs:
            yield ports[name], other, theirs[far]


def _adjacencies(me: str, members: Members) -> Iterator[Adjacency]:
    for mine, other, theirs in _wired(me, members):
        speaker = members[other].speaker
        if mine.area and mine.area == theirs.area and members[me].speaker.ospf and speaker.ospf:
            state = "FULL" if mine.mtu == theirs.mtu else "EXSTART"
            yield Adjacency(speaker.router_id, state, theirs.address, mine.name)


def _next_to(me: str, members: Members) -> Iterator[str]:
    """Switches that exchange unicast routes with me directly: OSPF FULL, or BGP on the link."""
    for mine, other, theirs in _wired(me, members):
        ospf = mine.area and mine.area == theirs.area and mine.mtu == theirs.mtu
        both = (members[me].speaker, theirs.address), (members[other].speaker, mine.address)
        bgp = all(
            any(s.address == a and s.ipv4 and not s.shut for s in sp.sessions) for sp, a in both
        )
        if ospf or bgp:
            yield other


def _reachable(me: str, members: Members) -> set[str]:
    found, todo = {me}, [me]
    while todo:
        for other in _next_to(todo.pop(), members):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def _reaches(me: str, session: Session, members: Members) -> bool:
    """Whether the session's address can be reached."""
    if not session.source:
        return any(theirs.address == session.address for _, _, theirs in _wired(me, members))
    return any(session.address in members[n].speaker.addresses for n in _reachable(me, members))


def _established(me: str, members: Members) -> Iterator[tuple[Session, str]]:
    """My EVPN or unicast sessions that are up, with whom."""
    mine = members[me].speaker
    for session in mine.sessions:
        for other, member in members.items():
            far = member.speaker
            if other == me or session.address not in far.addresses:
                continue
            back = next((s for s in far.sessions if s.address in _sources(session, mine)), None)
            if back and _agree(session, mine, back, far) and _reaches(me, session, members):
                yield session, other


def _sources(session: Session, mine: Speaker) -> tuple[str, ...]:
    return (session.source,) if session.source else tuple(port.address for port in mine.ports)


def _agree(mine: Session, my: Speaker, theirs: Session, their: Speaker) -> bool:
    return (
        mine.asn == their.asn
        and theirs.asn == my.asn
        and not (mine.shut or theirs.shut)
        and mine.address in _sources(theirs, their)
        and ((mine.evpn and theirs.evpn) or (mine.ipv4 and theirs.ipv4))
    )


def _propagate(members: Members, up: Mapping[tuple[str, str], str]) -> dict[str, tuple[Path, ...]]:
    """EVPN tables of all switches: each hears the others' best until nothing changes."""
    tables = {
        me: tuple(Path(r, r.next_hop, (), "", inner=False, client=False) for r in m.speaker.routes)
        for me, m in members.items()
    }
    own = dict(tables)
    for _ in range(_ROUNDS):
        best = {me: _best(table) for me, table in tables.items()}
        after = {me: own[me] + tuple(_received(me, members, up, best)) for me in members}
        if after == tables:
            break
        tables = after
    return tables


def _received(
    me: str,
    members: Members,
    up: Mapping[tuple[str, str], str],
    best: Mapping[str, tuple[Path, ...]],
) -> Iterator[Path]:
    mine = members[me].speaker
    for session in mine.sessions:
        other = up.get((me, session.address))
        if other is None or not session.evpn:
            continue
        theirs = members[other].speaker
        back = next(s for s in theirs.sessions if up.get((other, s.address)) == me and s.evpn)
        for path in best[other]:
            if (sent := _sent(path, theirs, back)) and _accepts(mine, session, sent):
                yield Path(
                    sent.route, sent.next_hop, sent.as_path, session.address,
                    inner=mine.asn == theirs.asn, client=session.client,
                )  # fmt: skip


def _sent(path: Path, sender: Speaker, session: Session) -> Path | None:
    """A path as the sender puts it on this session; None if it does not."""
    if not session.extended or path.peer == session.address:
        return None  # without extended communities it has no route target, and nobody takes it
    if session.asn == sender.asn:
        passed = not path.inner or path.client or session.client
        return path if passed else None
    if session.asn in path.as_path and not session.lenient:
        return None
    hop = path.next_hop if session.unchanged or not path.peer else session.source
    return Path(path.route, hop, (sender.asn, *path.as_path), path.peer, path.inner, path.client)


def _accepts(mine: Speaker, session: Session, path: Path) -> bool:
    """A switch keeps what some VNI of its own imports; all, only where it is told to."""
    looped = mine.asn in path.as_path and not session.lenient
    originated = path.route in mine.routes
    imported = {target for vni in mine.vnis for target in vni.imports}
    return (
        not looped and not originated and (mine.retain or bool(imported & set(path.route.targets)))
    )


def _best(table: tuple[Path, ...]) -> tuple[Path, ...]:
    """One path for each route: own before others, then the shortest, then the lowest neighbor."""
    chosen: dict[Route, Path] = {}
    for path in sorted(table, key=lambda p: (p.peer != "", len(p.as_path), p.peer)):
        chosen.setdefault(path.route, path)
    return tuple(chosen.values())


def _peers(own: Speaker, imported: Mapping[int, tuple[Path, ...]]) -> tuple[Peer, ...]:
    kinds = {vni.vni: vni for vni in own.vnis}
    macs: dict[str, str] = {}
    for number, paths in imported.items():
        for path in paths:
            known = macs.setdefault(path.next_hop, "n/a")
            if kinds[number].layer == 3 and known == "n/a":
                macs[path.next_hop] = path.route.router_mac
    return tuple(Peer(address, mac) for address, mac in sorted(macs.items()))
