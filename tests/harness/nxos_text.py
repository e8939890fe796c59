"""NX-OS's tables: the same rows as `| json` and as text. The shapes are those of the public
outputs in tests/fixtures/nxos."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def table(name: str, rows: Sequence[Any]) -> dict[str, Any]:
    """One row is an object, many are a list, an empty table is left out."""
    if not rows:
        return {}
    return {f"TABLE_{name}": {f"ROW_{name}": rows[0] if len(rows) == 1 else list(rows)}}


def dumped(document: Row) -> str:
    """An empty document is no output at all."""
    return json.dumps(document) if document else ""


def columns(heading: str, rows: Iterable[Sequence[object]]) -> str:
    lines = [heading, *("  ".join(str(cell) for cell in row) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def version_text(release: str, memory: int) -> str:
    return (
        f"Software\n  BIOS: version \n  NXOS: version {release}\n\n"
        "Hardware\n  cisco Nexus9000 9000v Chassis \n"
        f"  Intel(R) Xeon(R) CPU with {memory} kB of memory.\n"
    )


def resources_text(used: Row) -> str:
    total, taken, free = (used[f"memory_usage_{part}"] for part in ("total", "used", "free"))
    return (
        f"Memory usage:   {total}K total,   {taken}K used,   {free}K free\n"
        f"Current memory status: {used['current_memory_status']}\n"
    )


def boot_text(image: str) -> str:
    variable = f"NXOS variable = {image}\n" if image else ""
    section = f"\nsup-1\n{variable}Boot POAP Disabled\nNo module boot variable set\n\n"
    return f"Current Boot Variables:\n{section}Boot Variables on next reload:\n{section}"


def vdc_text(name: str, limit: int) -> str:
    return (
        f"u4route-mem          1 used   {limit - 1} unused   1535 free   1288 avail   1536 total\n"
        "-------------\n"
        "  Vdc                              Min       Max       Used      Unused    Avail\n"
        "  ---                              ---       ---       ----      ------    -----\n"
        f"  {name}                 {limit}       {limit}       1         {limit - 1}       0\n"
    )


def summary_json(family: str, peers: Sequence[Row]) -> str:
    inner = {"af-id": "25", **table("saf", [{"af-name": family, **table("neighbor", peers)}])}
    return dumped(table("vrf", [{"vrf-name-out": "default", **table("af", [inner])}]))


def summary_text(family: str, peers: Sequence[Row]) -> str:
    heading = f"BGP summary information for VRF default, address family {family}\n\n"
    heading += "Neighbor        V    AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd"
    rows = [
        (
            peer["neighborid"],
            4,
            peer["neighboras"],
            *("45", "43", "32", "0", "0", "00:34:09"),
            peer["prefixreceived"] if peer["state"] == "Established" else peer["state"],
        )
        for peer in peers
    ]
    return columns(heading, rows)


def ospf_json(neighbors: Sequence[Row]) -> str:
    return dumped(table("ctx", [{"ptag": "UNDERLAY", **table("nbr", neighbors)}]))


def ospf_text(neighbors: Sequence[Row]) -> str:
    heading = " OSPF Process ID UNDERLAY VRF default\n"
    heading += " Neighbor ID     Pri State            Up Time  Address         Interface"
    return columns(
        heading,
        [
            (f" {n['rid']}", "1", f"{n['state']}/ -", "00:34:16", n["addr"], n["intf"])
            for n in neighbors
        ],
    )


def nve_json(state: str, source: str) -> str:
    row = {"if-name": "nve1", "if-state": state, "source-if": "loopback1", "primary-ip": source}
    return dumped(table("nve_if", [row]))


def nve_text(state: str, source: str) -> str:
    return (
        f"Interface: nve1, State: {state}, encapsulation: VXLAN\n"
        f" Source-Interface: loopback1 (primary: {source}, secondary: 0.0.0.0)\n"
    )


def peers_text(peers: Sequence[Row]) -> str:
    heading = "Interface Peer-IP          State LearnType Uptime   Router-Mac       "
    names = ("if-name", "peer-ip", "peer-state", "learn-type", "uptime", "router-mac")
    return columns(heading, [[peer[name] for name in names] for peer in peers])


def vnis_text(vnis: Sequence[Row]) -> str:
    heading = "Interface VNI      Multicast-group   State Mode Type [BD/VRF]      Flags\n"
    heading += "--------- -------- ----------------- ----- ---- ------------------ -----"
    names = ("if-name", "vni", "mcast", "vni-state", "mode", "type", "flags")
    return columns(heading, [[vni[name] for name in names] for vni in vnis])


def macs_text(macs: Sequence[Row]) -> str:
    heading = "Topology    Mac Address    Prod   Flags         Seq No     Next-Hops"
    names = ("topo-id", "mac-addr", "prod-type", "flags", "seq-num", "next-hop1")
    return columns(heading, [[mac[name] for name in names] for mac in macs])


def routes_json(entries: Sequence[Row]) -> str:
    tables = []
    for entry in entries:
        prefixes = [
            {
                "nonipprefix": key,
                **table(
                    "path",
                    [
                        {
                            "ipnexthop": hop,
                            **table("extcommunity", [{"extcommunity": f"Extcommunity: {said}"}]),
                        }
                    ],
                ),
            }
            for key, hop, said in entry["prefixes"]
        ]
        head = {"rd_val": entry["rd"]} | ({"rd_vniid": entry["vni"]} if entry["vni"] else {})
        tables.append({**head, **table("prefix", prefixes)})
    family = {"af-name": "L2VPN EVPN", **table("rd", tables)}
    afi = {"afi": "25", **table("safi", [family])}
    return dumped(table("vrf", [{"vrf-name-out": "default", **table("afi", [afi])}]))


def routes_text(entries: Sequence[Row]) -> str:
    lines = ["BGP routing table information for VRF default, address family L2VPN EVPN"]
    for entry in entries:
        mine = f"    (L2VNI {entry['vni']})" if entry["vni"] else ""
        lines.append(f"Route Distinguisher: {entry['rd']}{mine}")
        for key, hop, said in entry["prefixes"]:
            lines += [
                f"BGP routing table entry for {key}, version 349",
                "Paths: (1 available, best #1)",
                "  Path type: internal, path is valid, is best path, no labeled nexthop",
                f"    {hop} (metric 5) from 10.0.0.1 (10.0.0.1)",
                "      Origin IGP, MED not set, localpref 100, weight 0",
                f"      Extcommunity: {said} ENCAP:8",
                "",
                "  Path-id 1 advertised to peers:",
                "    10.0.0.1           10.0.0.2       ",
            ]
    return "".join(f"{line}\n" for line in lines)


def rib_json(vrf: str, prefixes: Mapping[str, Sequence[Row]]) -> str:
    rows = [{"ipprefix": prefix, **table("path", paths)} for prefix, paths in prefixes.items()]
    family = {"addrf": "ipv4", **table("prefix", rows)}
    return dumped(table("vrf", [{"vrf-name-out": vrf, **table("addrf", [family])}]))


def rib_text(vrf: str, prefixes: Mapping[str, Sequence[Row]]) -> str:
    lines = [f'IP Route Table for VRF "{vrf}"', ""]
    for prefix, paths in prefixes.items():
        lines.append(f"{prefix}, ubest/mbest: {len(paths)}/0")
        for path in paths:
            hop = f"*via {path['ipnexthop']}"
            if path["clientname"].startswith("bgp"):
                lines.append(
                    f"    {hop}%default, [200/0], 00:10:11, {path['clientname']}, internal, "
                    "tag 65000, segid: 50001 tunnelid: 0xa00010b encap: VXLAN"
                )
            else:
                lines.append(f"    {hop}, Vlan10, [0/0], 00:34:08, {path['clientname']}")
    return "".join(f"{line}\n" for line in lines)
