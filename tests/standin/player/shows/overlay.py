"""show nve ..., show l2route ..."""

from __future__ import annotations

from standin.player.control import Control
from standin.player.shows.output import Output, clock, period, table
from standin.player.speaker import Speaker, Vni


def interface(own: Speaker) -> Output:
    """`show nve interface nve 1 detail`."""
    if not own.source:
        return Output("", {})
    state = "Up" if own.vtep else "Down"
    text = f"""\
Interface: nve1, State: {state}, encapsulation: VXLAN
 VPC Capability: VPC-VIP-Only [not-notified]
 Local Router MAC: {own.router_mac}
 Host Learning Mode: Control-Plane
 Source-Interface: {own.source} (primary: {own.vtep or "0.0.0.0"}, secondary: 0.0.0.0)
 Source Interface State: {state}
"""
    row = {"if-name": "nve1", "if-state": state, "encap-type": "VXLAN",
           "vpc-capability": "VPC-VIP-Only [not-notified]", "local-rmac": own.router_mac,
           "host-reach-mode": "Control-Plane", "source-if": own.source,
           "primary-ip": own.vtep or "0.0.0.0", "secondary-ip": "0.0.0.0",
           "src-if-state": state}  # fmt: skip
    return Output(text, table("nve_if", [row]))


def peers(control: Control) -> Output:
    """VTEPs that any imported route points to."""
    rows, text = [], ""
    for peer in control.view().peers:
        age = control.age(peer.address)
        rows.append({"if-name": "nve1", "peer-ip": peer.address, "peer-state": "Up",
                     "learn-type": "CP",
                     "uptime": period(age), "router-mac": peer.router_mac})  # fmt: skip
        text += (
            f"nve1      {peer.address:<16} Up    CP        {clock(age):<8} {peer.router_mac:<17}\n"
        )
    if not rows:
        return Output("", {})
    head = "Interface Peer-IP          State LearnType Uptime   Router-Mac       \n"
    head += "--------- ---------------  ----- --------- -------- -----------------\n"
    return Output(head + text, table("nve_peers", rows))


def vnis(own: Speaker) -> Output:
    """`show nve vni`."""
    rows, text = [], ""
    for vni in own.vnis:
        state = "Up" if vni.up else "Down"
        kind = _kind(vni)
        rows.append({"if-name": "nve1", "vni": str(vni.vni), "mcast": vni.group, "vni-state": state,
                     "mode": "CP", "type": kind, "flags": ""})  # fmt: skip
        text += f"nve1      {vni.vni:<8} {vni.group:<17} {state:<5} CP   {kind:<18} \n"
    if not rows:
        return Output("", {})
    head = """\
Codes: CP - Control Plane        DP - Data Plane
       UC - Unconfigured         SA - Suppress ARP

Interface VNI      Multicast-group   State Mode Type [BD/VRF]      Flags
--------- -------- ----------------- ----- ---- ------------------ -----
"""
    return Output(head + text, table("nve_vni", rows))


def _kind(vni: Vni) -> str:
    return f"L{vni.layer} [{vni.name}]" if vni.name else f"L{vni.layer} [vni-init]"


def l2_macs(own: Speaker, control: Control) -> Output:
    """Router MACs of other VTEPs, by the VLAN of the layer 3 VNI. No hosts: nobody forwards."""
    rows, text = [], ""
    for topology, peer in _remote(own, control):
        rows.append({"topo-id": topology, "mac-addr": peer[1], "prod-type": "VXLAN",
                     "flags": "Rmac",
                     "seq-num": "0", "next-hop1": peer[0]})  # fmt: skip
        text += f"{topology:<11} {peer[1]:<14} VXLAN  Rmac          0          {peer[0]}\n"
    if not rows:
        return Output("", {})
    head = "Flags -(Rmac):Router MAC (Stt):Static (L):Local (R):Remote (V):vPC link\n\n"
    head += "Topology    Mac Address    Prod   Flags         Seq No     Next-Hops\n"
    head += "----------- -------------- ------ ------------- ---------- ----------------\n"
    return Output(head + text, table("l2route_mac_all", rows))


def flood_lists(own: Speaker, control: Control) -> Output:
    """`show nve vni ingress-replication`."""
    text = "Interface VNI      Replication List  Source  Up Time\n"
    text += "--------- -------- ----------------- ------- -------\n\n"
    imported = control.view().imported
    for vni in own.vnis:
        if vni.layer == 2 and vni.group == "UnicastBGP":
            lead = f"nve1      {vni.vni:<8}"
            vteps = sorted({path.next_hop for path in imported.get(vni.vni, ())})
            for vtep in vteps:
                text += f"{lead} {vtep:<17} BGP-IMET {clock(control.age(vtep))}\n\n"
                lead = " " * len(lead)
            text += "" if vteps else f"{lead}\n\n"
    return Output(text)


def imets(own: Speaker, control: Control) -> Output:
    """`show l2route evpn imet all`."""
    text = "Topology ID VNI         Prod  IP Addr\n----------- ----------- ----- ---------------\n"
    imported = control.view().imported
    for vni in own.vnis:
        if vni.layer == 2 and vni.up and vni.group == "UnicastBGP":
            found = [("BGP", path.next_hop) for path in imported.get(vni.vni, ())]
            for producer, vtep in [*found, ("VXLAN", own.vtep)]:
                text += f"{vni.vlan:<11} {vni.vni:<11} {producer:<5} {vtep} \n"
    return Output(text)


def l2_mac_ips() -> Output:
    """Host routes: none, for the same reason."""
    return Output("", {})


def _remote(own: Speaker, control: Control) -> list[tuple[str, tuple[str, str]]]:
    found = control.view().peers
    layer3 = [vni for vni in own.vnis if vni.layer == 3 and vni.up]
    return [
        (vni.vlan, (p.address, p.router_mac))
        for vni in layer3
        for p in found
        if p.router_mac != "n/a"
    ]
