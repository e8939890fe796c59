"""show ip ospf neighbors, show bgp ... summary, show ip route vrf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from standin.player.config import Block
from standin.player.control import Control
from standin.player.fabric import Peering
from standin.player.shows.output import Output, clock, period, table
from standin.player.speaker import Speaker, network


def ospf_neighbors(own: Speaker, control: Control) -> Output:
    """Adjacencies over the wires that are plugged."""
    rows = []
    text = f" OSPF Process ID {own.ospf} VRF default\n"
    text += " Neighbor ID     Pri State            Up Time  Address         Interface\n"
    for adjacency in control.view().adjacencies:
        port, age = adjacency.port.replace("Ethernet", "Eth"), control.age(adjacency.port)
        rows.append({
            "rid": adjacency.router_id, "priority": "1", "state": adjacency.state, "drstate": "-",
            "uptime": period(age), "addr": adjacency.address, "intf": port,
        })  # fmt: skip
        text += f" {adjacency.router_id:<15}   1 {adjacency.state + '/ -':<16} {clock(age):<8} "
        text += f"{adjacency.address:<15} {port} \n"
    if not rows:
        return Output("", {})
    context = {"ptag": own.ospf, "cname": "default", "nbrcount": str(len(rows))}
    return Output(text, table("ctx", [{**context, **table("nbr", rows)}]))


def summary(own: Speaker, control: Control, family: str) -> Output:
    """Established sessions show how many prefixes they brought, others their state.

    `family` is "L2VPN EVPN" or "IPv4 Unicast"; of the latter's prefixes nothing is simulated.
    """
    found = control.view()
    evpn = family == "L2VPN EVPN"
    peerings = [p for p in found.peerings if (p.session.evpn if evpn else p.session.ipv4)]
    if not own.asn or not peerings:
        return Output("", {})
    rows = [_neighbor(peering, control, evpn=evpn) for peering in peerings]
    capable = sum(p.state == "Established" for p in peerings)
    networks = len(found.best) if evpn else 0
    paths = sum(len(p.paths) for p in peerings) + len(own.routes) if evpn else 0
    text = f"""\
BGP summary information for VRF default, address family {family}
BGP router identifier {own.router_id}, local AS number {own.asn}
BGP table version is {networks}, {family} config peers {len(peerings)}, capable peers {capable}
{networks} network entries and {paths} paths using {networks * 180} bytes of memory
BGP attribute entries [{networks}/{networks * 164}], BGP AS path entries [0/0]
BGP community entries [0/0], BGP clusterlist entries [0/0]

Neighbor        V    AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd
"""
    ages = [control.age(peering.session.address) for peering in peerings]
    text += "".join(_row(row, networks, age) for row, age in zip(rows, ages, strict=True))
    inner = {
        "safi": "70" if evpn else "1", "af-name": family, "tableversion": str(networks),
        "configuredpeers": str(len(peerings)), "capablepeers": str(capable),
        "totalnetworks": str(networks), "totalpaths": str(paths), **table("neighbor", rows),
    }  # fmt: skip
    outer = {"af-id": "25" if evpn else "1", **table("saf", [inner])}
    vrf = {"vrf-name-out": "default", "vrf-router-id": own.router_id, "vrf-local-as": own.asn}
    return Output(text, table("vrf", [{**vrf, **table("af", [outer])}]))


def _neighbor(peering: Peering, control: Control, *, evpn: bool) -> dict[str, str]:
    up = peering.state == "Established"
    age = control.age(peering.session.address) if up else 0
    messages = str(age // 60 + 3 if up else 0)
    return {
        "neighborid": peering.session.address, "neighborversion": "4", "msgrecvd": messages,
        "msgsent": messages, "neighbortableversion": "0", "inq": "0", "outq": "0",
        "neighboras": peering.session.asn, "time": period(age) if up else "never",
        "state": peering.state, "prefixreceived": str(len(peering.paths) if evpn else 0),
    }  # fmt: skip


def _row(row: Mapping[str, str], version: int, age: int) -> str:
    up = row["state"] == "Established"
    last = row["prefixreceived"] if up else row["state"]
    return (
        f"{row['neighborid']:<15} 4 {row['neighboras']:>5} {row['msgrecvd']:>7} "
        f"{row['msgsent']:>7} {version:>8}    0    0 {clock(age) if up else 'never':>8} "
        f"{last:<11}\n"
    )


def vrf_routes(own: Speaker, root: Block, control: Control, vrf: str) -> Output:
    """A VRF's own networks, and those that came in over EVPN."""
    vnis = [vni for vni in own.vnis if vni.layer == 3 and vni.name == vrf]
    hops: dict[str, list[dict[str, str]]] = {}
    for prefix, interface, address in _direct(root, vrf):
        hop = {"ipnexthop": address, "ifname": interface, "ubest": "true", "clientname": "direct"}
        hops.setdefault(prefix, []).append(hop)
    for path in control.view().imported.get(vnis[0].vni, ()) if vnis else ():
        if path.route.kind == 5:
            hops.setdefault(path.route.key, []).append({
                "ipnexthop": path.next_hop, "nhvrf": "default", "ubest": "true",
                "clientname": f"bgp-{own.asn}", "segmentid": str(path.route.vni), "encap": "VXLAN",
            })  # fmt: skip
    text = f'IP Route Table for VRF "{vrf}"\n\n'
    for prefix, each in hops.items():
        text += f"{prefix}, ubest/mbest: {len(each)}/0\n" + "".join(map(_via, each))
    rows = [{"ipprefix": prefix, **table("path", each)} for prefix, each in hops.items()]
    family = {"addrf": "ipv4", **table("prefix", rows)}
    return Output(text, table("vrf", [{"vrf-name-out": vrf, **table("addrf", [family])}]))


def _direct(root: Block, vrf: str) -> Iterator[tuple[str, str, str]]:
    for match, block in root.find(r"interface (\S+)"):
        if f"vrf member {vrf}" in block.lines and "no shutdown" in block.lines:
            for found, _ in block.find(r"ip address ([\d.]+)/(\d+).*"):
                yield network(found[1], int(found[2])), match[1], found[1]


def _via(hop: Mapping[str, Any]) -> str:
    if hop["clientname"] == "direct":
        return f"    *via {hop['ipnexthop']}, {hop['ifname']}, [0/0], 00:01:00, direct\n"
    return (
        f"    *via {hop['ipnexthop']}%default, [200/0], 00:01:00, {hop['clientname']}, internal, "
        f"tag {hop['clientname'].removeprefix('bgp-')}, segid: {hop['segmentid']} "
        "tunnelid: 0xa000101 encap: VXLAN\n"
    )
