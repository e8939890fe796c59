"""show bgp l2vpn evpn [route-type N], show bgp evi, show bgp process vrf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from standin.player.control import Control
from standin.player.fabric import Path, View
from standin.player.shows.output import Output, table
from standin.player.speaker import Speaker

_HEAD = "BGP routing table information for VRF default, address family L2VPN EVPN\n"


def routes(own: Speaker, control: Control, kind: str = "") -> Output:
    """All routes by route distinguisher, or in detail those of one type."""
    found = control.view()
    blocks = {
        key: kept
        for key, paths in _blocks(own, found).items()
        if (kept := [path for path in paths if kind in ("", str(path.route.kind))])
    }
    if not blocks:
        return Output("", {})
    text = f"{_HEAD}BGP table version is {len(found.best)}, Local Router ID is {own.router_id}\n"
    text += (
        ""
        if kind
        else "   Network            Next Hop            Metric     LocPrf     Weight Path\n"
    )
    rows = []
    for (rd, name), paths in blocks.items():
        text += f"Route Distinguisher: {rd}" + (f"    ({name})" if name else "") + "\n"
        text += "".join(_detail(path) if kind else _line(path) for path in paths)
        vni = {"rd_vniid": name.split()[1]} if name else {}
        prefixes = [_prefix(path, detail=bool(kind)) for path in paths]
        rows.append({"rd_val": rd, **vni, **table("prefix", prefixes)})
    safi = {"safi": "70", "af-name": "L2VPN EVPN", "table-version": str(len(found.best)),
            "router-id": own.router_id, **table("rd", rows)}  # fmt: skip
    afi = {"afi": "25", **table("safi", [safi])}
    return Output(text, table("vrf", [{"vrf-name-out": "default", **table("afi", [afi])}]))


def _blocks(own: Speaker, found: View) -> dict[tuple[str, str], list[Path]]:
    """By distinguisher and VNI; what was imported is there twice, the sender's table and ours."""
    names = {vni.rd: f"L{vni.layer}VNI {vni.vni}" for vni in own.vnis if vni.rd}
    blocks: dict[tuple[str, str], list[Path]] = {}
    for path in found.best:
        blocks.setdefault((path.route.rd, names.get(path.route.rd, "")), []).append(path)
    for vni in own.vnis:
        if imported := found.imported.get(vni.vni):
            blocks.setdefault((vni.rd, names.get(vni.rd, "")), []).extend(imported)
    return blocks


def _name(path: Path) -> str:
    route = path.route
    if route.kind == 3:
        return f"[3]:[0]:[32]:[{route.key}]/88"
    address, length = route.key.split("/")
    return f"[5]:[0]:[0]:[{length}]:[{address}]/224"


def _communities(path: Path) -> str:
    said = " ".join(f"RT:{target}" for target in path.route.targets) + " ENCAP:8"
    return f"{said} Router MAC:{path.route.router_mac}" if path.route.router_mac else said


def _origin(path: Path) -> str:
    return "l" if not path.peer else "i" if path.inner else "e"


def _line(path: Path) -> str:
    weight = "    0" if path.peer else "32768"
    ways = " ".join((*path.as_path, "i"))
    first = f"*>{_origin(path)}{_name(path)}\n"
    return f"{first}{'':<22}{path.next_hop:<32} 100      {weight} {ways}\n"


def _detail(path: Path) -> str:
    kind = {"l": "local", "i": "internal", "e": "external"}[_origin(path)]
    source = path.peer or "0.0.0.0"
    return f"""\
BGP routing table entry for {_name(path)}, version 1
Paths: (1 available, best #1)
  Path type: {kind}, path is valid, is best path, no labeled nexthop
  AS-Path: {" ".join(path.as_path) or "NONE"}
    {path.next_hop} (metric 0) from {source} ({source})
      Origin IGP, MED not set, localpref 100, weight {0 if path.peer else 32768}
      Received label {path.route.vni}
      Extcommunity: {_communities(path)}

"""


def _prefix(path: Path, *, detail: bool) -> Mapping[str, Any]:
    row: dict[str, Any] = {
        "ipnexthop": path.next_hop,
        "weight": "0" if path.peer else "32768",
        "aspath": " ".join(path.as_path),
        "status": "*",
        "best": ">",
        "type": _origin(path),
    }
    if detail:
        row |= table("extcommunity", [{"extcommunity": f"Extcommunity: {_communities(path)}"}])
    return {"nonipprefix": _name(path), **table("path", [row])}


def evi(own: Speaker, number: str) -> Output:
    """`show bgp evi VNI`: the route targets of a layer 2 VNI."""
    for vni in own.vnis:
        if vni.layer == 2 and str(vni.vni) == number and vni.rd:
            lines = [f"  L2VNI ID                     : {number} (L2-{number})",
                     f"  RD                           : {vni.rd}",
                     "  Active Export RT list        :", *_listed(vni.exports),
                     "  Active Import RT list        :", *_listed(vni.imports)]  # fmt: skip
            return Output("\n".join(lines))
    return Output("")


def vrf(own: Speaker, name: str) -> Output:
    """`show bgp process vrf NAME`: the same of a layer 3 VNI."""
    for vni in own.vnis:
        if vni.layer == 3 and vni.name == name:
            lines = [f"BGP Information for VRF {name}",
                     f"VRF EVPN RD                    : {vni.rd}",
                     f"VNID                           : {vni.vni} (valid)",
                     "    EVPN Export RT list:", *_listed(vni.exports),
                     "    EVPN Import RT list:", *_listed(vni.imports),
                     "    Label mode: per-vrf"]  # fmt: skip
            return Output("\n".join(lines))
    return Output("")


def _listed(targets: tuple[str, ...]) -> Iterator[str]:
    yield from (f"\t{target}" for target in targets)
