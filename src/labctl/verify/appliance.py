"""Checks of switches that run an operating system of their own, and say more than a Linux guest."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from labctl.devices.facts import INGRESS
from labctl.devices.reading import Appliance, NodeReading, Unknown
from labctl.model.intent import NodeIntent
from labctl.verify.fabric import Fabric
from labctl.verify.make import check, listed, unknown
from labctl.verify.model import Check, CheckKind

ROUTE_MEMORY = 248
"""MiB NX-OS keeps for IPv4 unicast routes (`limit-resource u4route-mem`) in most public
configurations; some of 9.2(2) to 9.3(10) say 128 or 96, taken for those of too little memory."""
ARP_SUPPRESSION = "suppress-arp"


def appliance_checks(fabric: Fabric) -> Iterator[Check]:
    """None for guests on Linux."""
    for name, node in fabric.switches.items():
        reading = fabric.readings[name]
        if reading.appliance is not None:
            yield _route_memory(name, reading.appliance)
            yield _log(name, reading.appliance)
            yield _boot(name, reading.appliance)
            if name in fabric.vteps:
                yield _nve(name, node, reading.appliance)
                yield from _replication(name, node, reading)
                yield _tunnels(fabric, name, node, reading.appliance)
                yield from _tcam(name, node, reading.appliance)


def _route_memory(name: str, appliance: Appliance) -> Check:
    kind, expected = CheckKind.ROUTE_MEMORY, f"u4route-mem at least {ROUTE_MEMORY} MiB"
    limit = appliance.route_memory
    if isinstance(limit, Unknown):
        return unknown(kind, name, "", limit, expected=expected)
    seen = f"u4route-mem {limit} MiB"
    return check(kind, name, "", expected=expected, ok=limit >= ROUTE_MEMORY, seen=seen)


def _log(name: str, appliance: Appliance) -> Check:
    kind, expected = CheckKind.LOG, "nothing about too little memory"
    lines = appliance.complaints
    if isinstance(lines, Unknown):
        return unknown(kind, name, "", lines, expected=expected)
    return check(
        kind, name, "", expected=expected, ok=not lines, seen="; ".join(lines) or "nothing"
    )


def _boot(name: str, appliance: Appliance) -> Check:
    kind, expected = CheckKind.BOOT, "an image for the next reload"
    image = appliance.boot
    if isinstance(image, Unknown):
        return unknown(kind, name, "", image, expected=expected)
    return check(kind, name, "", expected=expected, ok=bool(image), seen=image or "none")


def _nve(name: str, node: NodeIntent, appliance: Appliance) -> Check:
    kind, expected = CheckKind.NVE, f"up, source {node.vtep}"
    nve = appliance.nve
    if isinstance(nve, Unknown):
        return unknown(kind, name, "", nve, expected=expected)
    ok = nve.up and nve.source in (None, node.vtep)
    seen = f"{nve.name} {nve.state.lower()}" + (f", source {nve.source}" if nve.source else "")
    return check(kind, name, "", expected=expected, ok=ok, seen=seen)


def _replication(name: str, node: NodeIntent, reading: NodeReading) -> Iterator[Check]:
    """How each network's flooded frames go; a VNI that isn't there is another check's matter."""
    for l2 in node.l2vnis:
        number, expected = l2.network.vni, str(l2.group or INGRESS)
        kind, subject, vni = (
            CheckKind.REPLICATION,
            f"{number} {l2.network.name}",
            reading.vni(number),
        )
        if vni is None or isinstance(vni, Unknown) or not vni.group:
            why = vni if isinstance(vni, Unknown) else Unknown("the node doesn't say")
            yield unknown(kind, name, subject, why, expected=expected, vni=number)
            continue
        ok = vni.group == expected
        yield check(kind, name, subject, expected=expected, ok=ok, seen=vni.group, vni=number)


def _tunnels(fabric: Fabric, name: str, node: NodeIntent, appliance: Appliance) -> Check:
    """To every VTEP it shares a network or a tenant with, for each announces its prefixes."""
    kind = CheckKind.TUNNELS
    shared = [*(l2.remote_vteps for l2 in node.l2vnis), *(l3.remote_vteps for l3 in node.l3vnis)]
    wanted = frozenset[IPv4Address]().union(*shared)
    expected = f"tunnels to {listed(fabric.names(wanted))}"
    peers = appliance.tunnel_peers
    if isinstance(peers, Unknown):
        return unknown(kind, name, "", peers, expected=expected, peers=fabric.names(wanted))
    up = {ip for ip, is_up in peers.items() if is_up}
    missing = sorted(fabric.names(wanted - up))
    seen = f"tunnels to {listed(fabric.names(up))}"
    return check(kind, name, "", expected=expected, ok=not missing, seen=seen, peers=missing)


def _tcam(name: str, node: NodeIntent, appliance: Appliance) -> Iterator[Check]:
    """Where ARP suppression is asked for, by the file or by the configuration in force."""
    asked = True if ARP_SUPPRESSION in node.node.extra_config else appliance.arp_suppression
    if asked is False:
        return
    kind, expected, size = CheckKind.TCAM, "region arp-ether carved", appliance.arp_tcam
    if isinstance(asked, Unknown) or isinstance(size, Unknown):
        why = asked if isinstance(asked, Unknown) else size
        assert isinstance(why, Unknown)  # one of them is
        yield unknown(kind, name, "", why, expected=expected)
        return
    yield check(kind, name, "", expected=expected, ok=size > 0, seen=f"arp-ether {size}")
