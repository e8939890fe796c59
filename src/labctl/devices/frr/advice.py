"""What to do about faults of a fabric in FRR's and Linux's own commands."""

from __future__ import annotations

from labctl.devices.api import Advice

ADVICE = Advice(
    announce="under `address-family l2vpn evpn`: `advertise-all-vni`, and no route map outwards "
    "that denies",
    announce_lacks="`advertise-all-vni` is missing",
    announce_look="is `advertise-all-vni` there?",
    reflect="under `address-family l2vpn evpn`: `neighbor ... route-reflector-client`",
    reflect_lacks="the leaves are not `route-reflector-client` there",
    unshut="`no neighbor ... shutdown` under `router bgp`",
    activate="under `address-family l2vpn evpn`: `neighbor ... activate`",
    vni="`ip link set VXLAN-DEVICE up`, is it in its bridge, is there `advertise-all-vni`?",
    vni_look="is the VXLAN device of the VNI up and in its bridge?",
    route_target="under `address-family l2vpn evpn` / `vni ...`",
    l3vni="`vrf ... / vni ...` in FRR, the VXLAN device and its bridge up and in the VRF",
    router_mac="`clear bgp *`, which has zebra learn all routes anew",
    prefixes="`advertise ipv4 unicast` under `address-family l2vpn evpn` of the VRF's "
    "`router bgp`, `redistribute connected`, and its route targets",
    gateway="is the address on the network's bridge, is that up and in its VRF?",
    forwarding="`tcpdump -ni any udp port 4789`; MTU of the fabric links, ip_forward, rp_filter",
    prefix_limit="`neighbor ... maximum-prefix` under the address family, then `clear bgp *`",
)
