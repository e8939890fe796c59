"""What a configuration makes a switch say to others: addresses, OSPF ports, BGP sessions, routes.

Plain data that goes over the wire as JSON. Only what the project's fabrics use is understood.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from standin.player.config import Block

_EVPN = "address-family l2vpn evpn"
_IPV4 = "address-family ipv4 unicast"


@dataclass(frozen=True)
class Port:
    """A routed port that is configured to be up."""

    name: str
    address: str  # its own, or the one it borrows
    area: str  # of OSPF, "" if it does not run there
    mtu: int


@dataclass(frozen=True)
class Session:
    """One neighbor as it is configured."""

    address: str
    asn: str
    source: str  # address, "" for that of the port the neighbor is on
    evpn: bool
    ipv4: bool
    shut: bool
    client: bool
    extended: bool
    unchanged: bool
    lenient: bool  # takes (allowas-in) or sends (disable-peer-as-check) its own or the peer's AS


@dataclass(frozen=True)
class Route:
    """An EVPN route of type 3 (key: the VTEP) or 5 (key: the prefix)."""

    kind: int
    key: str
    vni: int
    rd: str
    targets: tuple[str, ...]
    next_hop: str
    router_mac: str


@dataclass(frozen=True)
class Vni:
    """A VNI of interface nve1."""

    vni: int
    layer: int  # 2 or 3
    name: str  # its VLAN or VRF
    vlan: str
    up: bool
    group: str  # multicast group or "UnicastBGP"; "n/a" on layer 3
    rd: str
    imports: tuple[str, ...]
    exports: tuple[str, ...]


@dataclass(frozen=True)
class Speaker:
    """One switch."""

    hostname: str
    router_id: str
    ospf: str  # tag of its process, "" if none
    asn: str
    retain: bool
    vtep: str  # "" if nve1 is down
    source: str  # nve1's source interface
    router_mac: str
    addresses: tuple[str, ...]
    ports: tuple[Port, ...]
    sessions: tuple[Session, ...]
    vnis: tuple[Vni, ...]
    routes: tuple[Route, ...]


def speaker(root: Block, hostname: str, mac: str) -> Speaker:
    """What this configuration makes of a switch with that MAC."""
    bgp = next((block for _, block in root.find(r"router bgp \S+")), Block())
    asn = root.first(r"router bgp (\S+)") or ""
    ospf = next((block for _, block in root.find(r"router ospf \S+")), Block())
    router_id = bgp.first(r"router-id (\S+)") or ospf.first(r"router-id (\S+)") or "0.0.0.0"
    vtep = _vtep(root)
    router_mac = dotted(mac)
    evpn = bgp.at(_EVPN) or Block()
    vnis = tuple(_vnis(root, asn, router_id, vtep))
    return Speaker(
        hostname=hostname,
        router_id=router_id,
        ospf=root.first(r"router ospf (\S+)") or "",
        asn=asn,
        retain=evpn.has("retain route-target all"),
        vtep=vtep,
        source=(root.at("interface nve1") or Block()).first(r"source-interface (loopback\d+)")
        or "",
        router_mac=router_mac,
        addresses=tuple(a for name in _interfaces(root) if (a := _address(root, name))),
        ports=tuple(_ports(root)),
        sessions=tuple(_sessions(root, bgp)),
        vnis=vnis,
        routes=tuple(_routes(root, bgp, vnis, vtep, router_mac)),
    )


def dotted(mac: str) -> str:
    """A MAC as NX-OS writes it."""
    digits = mac.replace(":", "")
    return ".".join(digits[n : n + 4] for n in (0, 4, 8))


def _interfaces(root: Block) -> list[str]:
    return [match[1] for match, block in root.find(r"interface (\S+)") if not block.has("shutdown")]


def _address(root: Block, name: str) -> str:
    """First address of an interface, its own or borrowed; "" if it has none."""
    block = root.at(f"interface {name}") or Block()
    own = block.first(r"ip address ([\d.]+)/\d+(?! secondary).*")
    lender = block.first(r"ip unnumbered (\S+)")
    return own or (_address(root, lender) if lender else "")


def _ports(root: Block) -> Iterator[Port]:
    for name in _interfaces(root):
        block = root.at(f"interface {name}") or Block()
        address = _address(root, name)
        if name.startswith("Ethernet") and block.has("no shutdown") and address:
            area = block.first(r"ip router ospf \S+ area (\S+)") or ""
            yield Port(name, address, area, int(block.first(r"mtu (\d+)") or 1500))


def _sessions(root: Block, bgp: Block) -> Iterator[Session]:
    for match, own in bgp.find(r"neighbor (\S+)(?: remote-as (\S+))?"):
        template = bgp.at("template peer " + (own.first(r"inherit peer (\S+)") or "")) or Block()
        blocks = (own, template)
        families = [f for block in blocks if (f := block.at(_EVPN))]
        source = _first(blocks, r"update-source (\S+)")

        def says(pattern: str, families: list[Block] = families) -> bool:
            return any(family.has(pattern) for family in families)

        yield Session(
            address=match[1],
            asn=match[2] or _first(blocks, r"remote-as (\S+)"),
            source=_address(root, source) if source else "",
            evpn=bool(families) or any(_EVPN in block.lines for block in blocks),
            ipv4=any(_IPV4 in block.lines for block in blocks),
            shut=own.has("shutdown"),
            client=says("route-reflector-client"),
            extended=says(r"send-community( extended| both)"),
            unchanged=any(_unchanged(root, family) for family in families),
            lenient=says("allowas-in.*|disable-peer-as-check"),
        )


def _first(blocks: tuple[Block, ...], pattern: str) -> str:
    return next((found for block in blocks if (found := block.first(pattern))), "")


def _unchanged(root: Block, family: Block) -> bool:
    name = family.first(r"route-map (\S+) out")
    maps = [block for _, block in root.find(rf"route-map {name} permit \d+")]
    return any(block.has("set ip next-hop unchanged") for block in maps)


def _vtep(root: Block) -> str:
    """Address of nve1's source interface while nve1 is up."""
    nve = root.at("interface nve1") or Block()
    source = nve.first(r"source-interface (loopback\d+)")
    if not source or not nve.has("no shutdown") or source not in _interfaces(root):
        return ""
    return _address(root, source)


def _vnis(root: Block, asn: str, router_id: str, vtep: str) -> Iterator[Vni]:
    nve = root.at("interface nve1") or Block()
    vlans = {b.first(r"vn-segment (\d+)"): m[1] for m, b in root.find(r"vlan (\d+)")}
    for match, member in nve.find(r"member vni (\d+)( associate-vrf)?"):
        vni = match[1]
        if match[2] or member.has("associate-vrf"):
            yield _layer3(root, vni, vlans.get(vni), asn, router_id, vtep)
            continue
        section = root.at("evpn", f"vni {vni} l2") or Block()
        vlan = vlans.get(vni, "")
        yield Vni(
            vni=int(vni),
            layer=2,
            name=vlan,
            vlan=vlan,
            up=bool(vtep and vlan),
            group=_group(nve, member),
            rd=f"{router_id}:{32767 + int(vlan)}" if vlan and section.has("rd auto") else "",
            imports=_targets(section, "import", asn, vni),
            exports=_targets(section, "export", asn, vni),
        )


def _layer3(root: Block, vni: str, vlan: str | None, asn: str, router_id: str, vtep: str) -> Vni:
    contexts = list(root.find(r"vrf context (\S+)"))
    own = [(n, m[1], b) for n, (m, b) in enumerate(contexts, 1) if b.has(rf"vni {vni}( l3)?")]
    number, name, context = own[0] if own else (0, "", Block())
    svi = root.at(f"interface Vlan{vlan}") or Block()
    ready = all(line in svi.lines for line in (f"vrf member {name}", "ip forward", "no shutdown"))
    family = context.at(_IPV4) or Block()
    return Vni(
        vni=int(vni),
        layer=3,
        name=name,
        vlan=vlan or "",
        up=bool(vtep and name and (ready or context.has(rf"vni {vni} l3"))),
        group="n/a",
        rd=f"{router_id}:{number + 1}" if name else "",
        imports=_targets(family, "import", asn, vni, " evpn"),
        exports=_targets(family, "export", asn, vni, " evpn"),
    )


def _group(nve: Block, member: Block) -> str:
    if member.has("ingress-replication protocol bgp"):
        return "UnicastBGP"
    if group := member.first(r"mcast-group (\S+)") or nve.first(r"global mcast-group (\S+) L2"):
        return group
    return "UnicastBGP" if nve.has("global ingress-replication protocol bgp") else "n/a"


def _targets(block: Block, way: str, asn: str, vni: str, suffix: str = "") -> tuple[str, ...]:
    found = [m[1] for m, _ in block.find(rf"route-target (?:{way}|both) (\S+){suffix}")]
    return tuple(f"{asn}:{vni}" if target == "auto" else target for target in found)


def _routes(root: Block, bgp: Block, vnis: tuple[Vni, ...], vtep: str, mac: str) -> Iterator[Route]:
    for vni in vnis:
        if not vni.up or not vni.rd:
            continue
        if vni.layer == 2 and vni.group == "UnicastBGP":
            yield Route(3, vtep, vni.vni, vni.rd, vni.exports, vtep, "")
        if vni.layer == 3:
            for prefix in _prefixes(root, bgp, vni.name):
                yield Route(5, prefix, vni.vni, vni.rd, vni.exports, vtep, mac)


def _prefixes(root: Block, bgp: Block, vrf: str) -> Iterator[str]:
    """Networks that this VRF advertises into EVPN: tagged ones of its interfaces, and `network`."""
    family = bgp.at(f"vrf {vrf}", _IPV4) or Block()
    if not family.has("advertise l2vpn evpn"):
        return
    yield from (match[1] for match, _ in family.find(r"network (\S+)"))
    name = family.first(r"redistribute direct route-map (\S+)")
    maps = [block for _, block in root.find(rf"route-map {name} permit \d+")]
    tags = {tag for block in maps if (tag := block.first(r"match tag (\d+)"))}
    anything = any(not block.has(r"match .+") for block in maps)
    for interface in _interfaces(root):
        block = root.at(f"interface {interface}") or Block()
        if f"vrf member {vrf}" in block.lines:
            for match, _ in block.find(r"ip address ([\d.]+)/(\d+)(?: tag (\d+))?"):
                if anything or match[3] in tags:
                    yield network(match[1], int(match[2]))


def network(address: str, length: int) -> str:
    """The network that an address is in."""
    value = int.from_bytes(bytes(map(int, address.split("."))), "big")
    masked = value >> (32 - length) << (32 - length)
    return f"{'.'.join(map(str, masked.to_bytes(4, 'big')))}/{length}"
