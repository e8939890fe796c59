"""Which lines the stand-in takes for NX-OS configuration, by mode: permissive, but not blind.

A line is known by its first words. What follows them is not looked at: the linter of labctl's own
renderings is stricter. Sources: the project's reference configurations, and running configurations
of Nexus 9000v in public repositories (ssadayan/n9kv-multisite-vxlan,
tsubuan365/n9kv-evpn-vxlan-lab).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Mode:
    """One configuration mode: how its prompt reads, which lines it knows, which open another."""

    prompt: str
    words: str = ""
    opens: tuple[tuple[str, str], ...] = ()  # pattern of the line -> name of the mode it opens


_AF = r"address-family (ipv4 unicast|ipv6 unicast|l2vpn evpn)"
_BGP_AF = (
    "retain route-target|maximum-paths|network|redistribute|advertise|aggregate-address|nexthop|"
    "additional-paths|default-information|export-gateway-ip|advertise-pip|wait-igp|dampening|table-map"
)
_PEER = (
    "remote-as|update-source|description|inherit peer|ebgp-multihop|shutdown|password|timers|bfd|"
    "peer-type|local-as|disable-connected-check|log-neighbor-changes|dynamic-capability|"
    "capability|low-memory|transport|affinity-group|maximum-peers"
)
_PEER_AF = (
    "send-community|route-reflector-client|route-map|allowas-in|disable-peer-as-check|as-override|"
    "rewrite-evpn-rt-asn|next-hop-self|maximum-prefix|soft-reconfiguration|default-originate|"
    "prefix-list|filter-list|inherit peer-policy|suppress-inactive|weight|encapsulation"
)
_INTERFACE = (
    "description|switchport|mtu|medium|shutdown|speed|duplex|bandwidth|channel-group|vpc|lacp|"
    "spanning-tree|vrf member|ip (address|router|ospf|unnumbered|redirects|forward|arp|proxy-arp|"
    "pim (sparse-mode|bfd|neighbor|border)|igmp|dhcp relay|access-group|policy|verify|flow|port)|"
    "ipv6 (address|redirects|nd|forward|router|link-local)|fabric forwarding mode|no-op|"
    "encapsulation dot1q|"
    "delay|load-interval|storm-control|carrier-delay|logging event|lldp|cdp|management|hsrp|bfd|"
    "evpn multisite|mac-address|negotiate|flowcontrol|beacon|link debounce|udld|ethernet|"
    "service-policy|autostate|private-vlan|mac (port|packet)"
)

MODES: dict[str, Mode] = {
    "config": Mode(
        "config",
        "hostname|switchname|feature|nv overlay evpn|fabric forwarding anycast|username|ssh|"
        "password strength-check|"
        "ip (domain|route|pim|prefix-list|access-list|host|name-server|igmp|"
        "as-path|community-list|extcommunity-list|multicast|arp|dhcp|tcp|load-sharing|ssh|adjacency)|"
        "ipv6 (route|prefix-list|access-list|pim|nd|switch|dhcp)|"
        "boot (nxos|poap|order)|system|nxapi|copp|snmp-server|ntp|logging|clock|cli (alias|var)|"
        "banner|aaa|role|key|hardware|install|license|spanning-tree|lldp|cdp|mac address-table|"
        "l2rib|errdisable|class-map|policy-map|control-plane|rmon|track|no-op|power|version|"
        "service|cfs|vtp|udld|tacacs|radius|ngoam|bfd|crypto|grpc|netconf|restconf|telemetry|"
        "scheduler|archive|monitor|slot|poweroff|icam|platform|"
        "vpc|evpn esi|switchport|line|vdc|mpls|segment-routing|event|xml|object-group|sflow|"
        "default-information|time-range|vxlan|port-profile|feature-set|ethanalyzer|cluster|user",
        (
            (r"interface nve ?\d+$", "nve"),
            (r"interface .+", "interface"),
            (r"vlan configuration .+", "vlan-configuration"),
            (r"vlan [\d,-]+$", "vlan"),
            (r"vrf context .+", "vrf"),
            (r"router ospf .+", "ospf"),
            (r"router bgp .+", "bgp"),
            (r"router isis .+", "ospf"),
            (r"evpn multisite border-gateway .+", "multisite"),
            (r"evpn$", "evpn"),
            (r"route-map .+", "route-map"),
            (r"line (console|vty)$", "line"),
            (r"vpc domain .+", "vpc"),
            (r"event manager applet .+", "applet"),
            (r"vdc .+ id \d+$", "vdc"),
            (r"key chain .+", "anything"),
            (r"(ip|ipv6|mac) access-list .+", "anything"),
            (r"class-map .+", "anything"),
            (r"policy-map .+", "anything"),
            (r"control-plane$", "anything"),
            (r"object-group .+", "anything"),
            (r"telemetry$", "anything"),
            (r"role name .+", "anything"),
        ),
    ),
    "interface": Mode("config-if", _INTERFACE),
    "nve": Mode(
        "config-if-nve",
        "host-reachability|source-interface|global|advertise virtual-rmac|shutdown|description|"
        "multisite|fabric-ready|overlay-encapsulation",
        ((r"member vni [\d,-]+( associate-vrf)?$", "nve-vni"),),
    ),
    "nve-vni": Mode(
        "config-if-nve-vni",
        "mcast-group|ingress-replication|suppress-arp|associate-vrf|multisite|peer-ip|spanning-tree",
    ),
    "vlan": Mode("config-vlan", "name|vn-segment|state|shutdown|mode|media|private-vlan"),
    "vlan-configuration": Mode("config-vlan-config", "ip|ipv6|service-policy|member vni"),
    "vrf": Mode(
        "config-vrf",
        "vni|rd|ip (route|pim|multicast|domain-name|name-server|igmp|amt|auto-discard)|"
        "ipv6 (route|pim)|description|shutdown|mdt",
        ((_AF, "vrf-af"),),
    ),
    "vrf-af": Mode("config-vrf-af-ipv4", "route-target|maximum routes|export|import|route-map"),
    "ospf": Mode(
        "config-router",
        "router-id|log-adjacency-changes|auto-cost|passive-interface|redistribute|area|timers|bfd|"
        "default-information|maximum-paths|max-metric|name-lookup|net|is-type|set-overload-bit|"
        "distance|graceful-restart|summary-address|network|mpls|shutdown",
        ((r"vrf .+", "ospf"), (_AF, "ospf")),
    ),
    "bgp": Mode(
        "config-router",
        "router-id|log-neighbor-changes|cluster-id|bestpath|reconnect-interval|timers|"
        "graceful-restart|confederation|enforce-first-as|fast-external-fallover|suppress-fib-pending|"
        "shutdown|maxas-limit|neighbor-down|isolate|event-history|dynamic-med-interval|no-op",
        (
            (_AF, "bgp-af"),
            (r"template peer .+", "bgp-template"),
            (r"template (peer-policy|peer-session) .+", "bgp-neighbor-af"),
            (r"neighbor \S+( remote-as \S+)?$", "bgp-neighbor"),
            (r"vrf .+", "bgp-vrf"),
        ),
    ),
    "bgp-af": Mode("config-router-af", _BGP_AF, ((r"vni \d+$", "bgp-af"),)),
    "bgp-template": Mode("config-router-neighbor", _PEER, ((_AF, "bgp-neighbor-af"),)),
    "bgp-neighbor": Mode("config-router-neighbor", _PEER, ((_AF, "bgp-neighbor-af"),)),
    "bgp-neighbor-af": Mode("config-router-neighbor-af", _PEER_AF),
    "bgp-vrf": Mode(
        "config-router-vrf",
        "router-id|log-neighbor-changes|local-as|bestpath|timers|reconnect-interval|graceful-restart",
        (
            (_AF, "bgp-af"),
            (r"neighbor \S+( remote-as \S+)?$", "bgp-neighbor"),
        ),
    ),
    "evpn": Mode("config-evpn", "esi|ethernet-segment", ((r"vni \d+ l2$", "evpn-vni"),)),
    "evpn-vni": Mode("config-evpn-evi", "rd|route-target"),
    "multisite": Mode("config-esm-multisite", "delay-restore|split-horizon|dci-advertise-pip"),
    "route-map": Mode("config-route-map", "match|set|description|continue"),
    "line": Mode(
        "config-line",
        "exec-timeout|terminal (width|length)|session-limit|access-class|speed|databits|parity|"
        "stopbits|modem|logout-warning",
    ),
    "vpc": Mode(
        "config-vpc-domain",
        "peer-switch|role priority|system-priority|system-mac|peer-keepalive|delay restore|"
        "peer-gateway|layer3 peer-router|auto-recovery|ip arp synchronize|ipv6 nd synchronize|"
        "fast-convergence|virtual peer-link|dual-active|graceful|mac-address|track",
    ),
    "applet": Mode("config-applet", "event|action|description|override|trigger"),
    "vdc": Mode("config-vdc", "limit-resource|allocate|boot-order|cpu-share|ha-policy|limit"),
    "anything": Mode("config-section", "."),
}

# A line that is refused until the feature is on, as NX-OS does not even know it before.
NEEDS: tuple[tuple[str, str], ...] = (
    (r"router bgp\b", "feature bgp"),
    (r"router ospf\b", "feature ospf"),
    (r"interface Vlan", "feature interface-vlan"),
    (r"interface nve", "feature nv overlay"),
    (r"vn-segment\b", "feature vn-segment-vlan-based"),
    (r"evpn$", "nv overlay evpn"),
    (r"vpc domain\b", "feature vpc"),
    (r"ip pim\b", "feature pim"),
    (r"ip (router )?ospf\b", "feature ospf"),
    (r"channel-group \d+ mode (active|passive)", "feature lacp"),
    (r"fabric forwarding anycast", "nv overlay evpn"),
    (r"address-family l2vpn evpn", "nv overlay evpn"),
)


@lru_cache(maxsize=2048)
def knows(mode: str, line: str) -> str | None:
    """What `line` (without a leading `no`) is in this mode.

    The name of the mode it opens, "" for a plain line, None where the mode does not know it.
    """
    for pattern, opened in MODES[mode].opens:
        if re.match(pattern + "$" if not pattern.endswith("$") else pattern, line):
            return opened
    if MODES[mode].words and re.match(rf"(?:{MODES[mode].words})", line):
        return ""
    return None


def needed(line: str) -> str | None:
    """The feature line without which NX-OS does not know this one."""
    return next((feature for pattern, feature in NEEDS if re.match(pattern, line)), None)
