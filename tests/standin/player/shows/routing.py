"""show ip ospf neighbors, show bgp l2vpn evpn ..., show ip route vrf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from standin.player.control import Control
from standin.player.fabric import Path, Peering
from standin.player.shows.output import Output, clock, period, table
from standin.player.speaker import Speaker


def ospf_neighbors(own: Speaker, control: Control) -> Output:
    """Adjacencies over the wires that are plugged."""
    rows = []
    text = ""
    for adjacency in control.view().adjacencies:
        port, age = adjacency.port.replace("Ethernet", "Eth"), control.age(adjacency.port)
        rows.append({"rid": adjacency.router_id, "priority": "1", "state": adjacency.state,
                     "drstate": "-", "uptime": period(age), "addr": adjacency.address, "intf": port})  # fmt: skip
        state = f"{adjacency.state}/ -"
        text += f" {adjacency.router_id:<16}  1 {state:<16} {clock(age):<8} {adjacency.address:<15} {port} \n"
    if not rows:
        return Output("", {})
    head = f" OSPF Process ID {own.ospf} VRF default\n Total number of neighbors: {len(rows)}\n"
    head += " Neighbor ID     Pri State            Up Time  Address         Interface\n"
    context = {
        "ptag": own.ospf,
        "cname": "default",
        "nbrcount": str(len(rows)),
        **table("nbr", rows),
    }
    return Output(head + text, table("ctx", [context]))


def evpn_summary(own: Speaker, control: Control) -> Output:
    """Established sessions show how many prefixes they brought, others their state."""
    found = control.view()
    peerings = [p for p in found.peerings if p.session.evpn]
    if not own.asn or not peerings:
        return Output("", {})
    rows = [_neighbor(peering, control) for peering in peerings]
    capable = sum(p.state == "Established" for p in peerings)
    networks, paths = len(found.best), sum(len(p.paths) for p in peerings) + len(own.routes)
    text = f"""\
BGP summary information for VRF default, address family L2VPN EVPN
BGP router identifier {own.router_id}, local AS number {own.asn}
BGP table version is {networks}, L2VPN EVPN config peers {len(peerings)}, capable peers {capable}
{networks} network entries and {paths} paths using {networks * 180} bytes of memory
BGP attribute entries [{networks}/{networks * 164}], BGP AS path entries [0/0]
BGP community entries [0/0], BGP clusterlist entries [0/0]

Neighbor        V    AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd
"""
    for row, peering in zip(rows, peerings, strict=True):
        age = (
            clock(control.age(peering.session.address))
            if peering.state == "Established"
            else "never"
        )
        last = row["prefixreceived"] if peering.state == "Established" else peering.state
        text += (f"{row['neighborid']:<15} 4 {row['neighboras']:>5} {row['msgrecvd']:>7} {row['msgsent']:>7} "
                 f"{networks:>8}    0    0 {age} {last:<11}\n")  # fmt: skip
    family = {"safi": "70", "af-name": "L2VPN EVPN", "tableversion": str(networks),
              "configuredpeers": str(len(peerings)), "capablepeers": str(capable),
              "totalnetworks": str(networks), "totalpaths": str(paths),
              **table("neighbor", rows)}  # fmt: skip
    vrf = {"vrf-name-out": "default", "vrf-router-id": own.router_id, "vrf-local-as": own.asn,
           **table("af", [{"af-id": "25", **table("saf", [family])}])}  # fmt: skip
    return Output(text, table("vrf", [vrf]))


def _neighbor(peering: Peering, control: Control) -> dict[str, str]:
    up = peering.state == "Established"
    age = control.age(peering.session.address) if up else 0
    return {
        "neighborid": peering.session.address, "neighborversion": "4",
        "msgrecvd": str(age // 60 + 3 if up else 0), "msgsent": str(age // 60 + 3 if up else 0),
        "neighbortableversion": "0", "inq": "0", "outq": "0", "neighboras": peering.session.asn,
        "time": period(age) if up else "never", "state": peering.state,
        "prefixreceived": str(len(peering.paths)),
    }  # fmt: skip


def evpn_table(own: Speaker, control: Control) -> Output:
    """All routes by route distinguisher, imported ones once more below the VNI's own."""
    found = control.view()
    blocks: dict[tuple[str, str], list[Path]] = {}
    names = {v.rd: f"L{v.layer}VNI {v.vni}" for v in own.vnis if v.rd}
    for path in found.best:
        blocks.setdefault((path.route.rd, names.get(path.route.rd, "")), []).append(path)
    for vni in own.vnis:
        for path in found.imported.get(vni.vni, ()):
            blocks.setdefault((vni.rd, names.get(vni.rd, "")), []).append(path)
    if not blocks:
        return Output("", {})
    text = (f"BGP routing table information for VRF default, address family L2VPN EVPN\n"
            f"BGP table version is {len(found.best)}, Local Router ID is {own.router_id}\n"
            "   Network            Next Hop            Metric     LocPrf     Weight Path\n")  # fmt: skip
    rds = []
    for (rd, name), paths in blocks.items():
        text += f"Route Distinguisher: {rd}" + (f"    ({name})" if name else "") + "\n"
        text += "".join(_line(path) for path in paths)
        extra = {"rd_vniid": name.split()[1]} if name else {}
        rds.append({"rd_val": rd, **extra, **table("prefix", [_prefix(path) for path in paths])})
    safi = {"safi": "70", "af-name": "L2VPN EVPN", "table-version": str(len(found.best)),
            "router-id": own.router_id, **table("rd", rds)}  # fmt: skip
    vrf = {"vrf-name-out": "default", **table("afi", [{"afi": "25", **table("safi", [safi])}])}
    return Output(text, table("vrf", [vrf]))


def _name(path: Path) -> str:
    route = path.route
    if route.kind == 3:
        return f"[3]:[0]:[32]:[{route.key}]/88"
    address, length = route.key.split("/")
    return f"[5]:[0]:[0]:[{length}]:[{address}]/224"


def _line(path: Path) -> str:
    flag = "*>l" if not path.peer else "*>i" if path.inner else "*>e"
    ways = " ".join((*path.as_path, "i"))
    return f"{flag}{_name(path)}\n                      {path.next_hop:<32} 100      {'32768' if not path.peer else '    0'} {ways}\n"


def _prefix(path: Path) -> Mapping[str, Any]:
    row = {"ipnexthop": path.next_hop, "weight": "0" if path.peer else "32768",
           "aspath": " ".join(path.as_path), "status": "*", "best": ">",
           "type": "i" if path.inner else "e" if path.peer else "l"}  # fmt: skip
    return {"nonipprefix": _name(path), **table("path", [row])}


def vrf_routes(own: Speaker, control: Control, vrf: str) -> Output:
    """Prefixes that came in over EVPN for a VRF."""
    vnis = [vni for vni in own.vnis if vni.layer == 3 and vni.name == vrf]
    paths: Sequence[Path] = control.view().imported.get(vnis[0].vni, ()) if vnis else ()
    if not paths:
        return Output(f'IP Route Table for VRF "{vrf}"', {})
    text = f'IP Route Table for VRF "{vrf}"\n\n'
    rows = []
    for path in paths:
        segment = {"segmentid": str(path.route.vni), "encap": "VXLAN"}
        text += f"{path.route.key}, ubest/mbest: 1/0\n    *via {path.next_hop}%default, [200/0], "
        text += f"bgp-{own.asn}, internal, tag {own.asn}, segid: {path.route.vni} tunnelid: 0x0 encap: VXLAN\n"
        hop = {"ipnexthop": path.next_hop, "nhvrf": "default", "ubest": "true", **segment}
        rows.append({"ipprefix": path.route.key, "ucast-nhops": "1", **table("path", [hop])})
    context = {"vrf-name-out": vrf, **table("addrf", [{"addrf": "ipv4", **table("prefix", rows)}])}
    return Output(text, table("vrf", [context]))
