"""What to do about faults of a fabric in NX-OS's own commands."""

from __future__ import annotations

from labctl.devices.api import Advice

ADVICE = Advice(
    announce="`show nve vni`, `show nve interface nve 1`; `evpn` / `vni ... l2` for each VNI, and "
    "`send-community extended` towards the spines",
    announce_lacks="nve1 or its VNIs are down, or `send-community extended` is missing",
    announce_look="is nve1 up, has it its `member vni`?",
    reflect="under `address-family l2vpn evpn`: `retain route-target all`; of each neighbor: "
    "`route-reflector-client`, `send-community extended`",
    reflect_lacks="`route-reflector-client`, `retain route-target all` or "
    "`send-community extended` is missing there",
    unshut="`no shutdown` under `router bgp` / `neighbor ...`",
    activate="`address-family l2vpn evpn` under `router bgp` / `neighbor ...`",
    vni="`show nve vni`; `vlan ...` / `vn-segment ...`, `interface nve1` / `member vni ...`, "
    "`no shutdown` of nve1 and its source loopback",
    vni_look="is it Up in `show nve vni`, with its VLAN and `vn-segment`?",
    route_target="under `evpn` / `vni ... l2`, or `vrf context ...` for an L3 VNI",
    l3vni="`show nve vni`; `vrf context ...` / `vni ...`, the VLAN with that `vn-segment`, its SVI "
    "up with `ip forward`, `member vni ... associate-vrf` under nve1",
    router_mac="`show nve peers`: a peer without a router MAC shares no L3 VNI with it",
    prefixes="`redistribute direct route-map ...` under the VRF's `router bgp`, the tag its route "
    "map wants on the SVI's address, `advertise l2vpn evpn`, and its route targets",
    gateway="is the SVI up, in its VRF, with `fabric forwarding mode anycast-gateway`?",
    forwarding="`show nve peers`, `show l2route evpn mac all`; MTU of the fabric links (9216)",
    prefix_limit="`maximum-prefix` of the neighbor's address family, then `clear bgp all *`",
    boot="`boot nxos bootflash:...` (`dir bootflash:` lists the images), then "
    "`copy running-config startup-config`",
    replication="`interface nve1` / `member vni ...`: `ingress-replication protocol bgp`, or "
    "`mcast-group ...`",
    tunnel="`show nve peers detail`, `show ip route` of the other's VTEP address; is the source of "
    "its nve1 up and in the underlay?",
    tcam="`hardware access-list tcam region racl 512`, then `... arp-ether 256 double-wide`, save "
    "and reload; a virtual switch of old releases can't: leave `suppress-arp` out",
    memory_lacks="routes may be dropped while sessions stay Established",
)
