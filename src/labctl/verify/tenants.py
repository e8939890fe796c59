"""Checks of the tenant VRFs: L3 VNIs, router MACs, type-5 routes, VRF tables, gateways."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Network

from labctl.devices.reading import NodeReading, Unknown
from labctl.model.intent import L3Vni, NodeIntent
from labctl.verify.fabric import DEFAULT_ROUTE, Fabric
from labctl.verify.make import check, listed, unknown
from labctl.verify.model import Check, CheckKind
from labctl.verify.overlay import targets


def tenant_checks(fabric: Fabric) -> Iterator[Check]:
    """All checks of the tenants on every VTEP."""
    for name, node in fabric.vteps.items():
        reading = fabric.readings[name]
        for l3 in node.l3vnis:
            yield _l3vni_up(name, reading, l3)
            yield targets(name, reading, l3.vrf.vni, l3.route_target)
            yield _router_macs(fabric, name, l3)
            if l3.prefixes_expected:
                yield _type5(fabric, name, l3)
                yield _vrf_routes(fabric, name, l3)
        yield from _gateways(fabric, name, node)


def _l3vni_up(name: str, reading: NodeReading, l3: L3Vni) -> Check:
    number, vrf = l3.vrf.vni, l3.vrf.name
    kind, subject, expected = CheckKind.L3VNI, f"{number} {vrf}", f"L3 VNI {number} up"
    tenants, vni, devices = reading.tenants, reading.vni(number), reading.vxlan_devices
    problems = []
    if not isinstance(tenants, Unknown):
        tenant = tenants.get(vrf)
        if tenant is None or tenant.vni != number:
            problems.append(f"VRF {vrf} has no L3 VNI {number}")
        elif not tenant.up:
            problems.append(f"state {tenant.state}")
    if vni is None:
        problems.append("no such VNI")
    elif not isinstance(vni, Unknown) and vni.state.lower() not in ("", "up"):
        problems.append(f"state {vni.state}")
    if not isinstance(devices, Unknown):
        device = devices.get(number)
        if device is None or not device.up:
            problems.append("no VXLAN device" if device is None else f"{device.name} is down")
    stateful = not isinstance(vni, Unknown) and vni is not None and vni.state != ""
    if not problems and isinstance(tenants, Unknown) and not stateful:
        return unknown(kind, name, subject, tenants, expected=expected, vni=number)
    seen = ", ".join(dict.fromkeys(problems)) or "up"
    return check(kind, name, subject, expected=expected, ok=not problems, seen=seen, vni=number)


def _router_macs(fabric: Fabric, name: str, l3: L3Vni) -> Check:
    """A router MAC of every VTEP that routes of the VRF lead to; without it packets are lost.

    zebra keeps a VTEP's router MAC while such a route is installed, so no more can be expected.
    """
    number = l3.vrf.vni
    kind, subject = CheckKind.ROUTER_MAC, f"{number} {l3.vrf.name}"
    reading = fabric.readings[name]
    macs, table = reading.router_macs, reading.ribs[l3.vrf.name]
    if isinstance(macs, Unknown) or isinstance(table, Unknown):
        why = next(part for part in (macs, table) if isinstance(part, Unknown))
        expected = "router MACs of all next hops"
        return unknown(kind, name, subject, why, expected=expected, vni=number)
    routes = [route for route in table if route.selected and route.protocol == "bgp"]
    wanted = fabric.names(hop for route in routes for hop in route.next_hops)
    seen = fabric.names(macs.get(number, frozenset()))
    return check(
        kind,
        name,
        subject,
        expected=f"router MACs of the next hops: {listed(wanted)}",
        ok=wanted <= seen,
        seen=f"router MACs of {listed(seen)}",
        peers=sorted(wanted - seen),
        vni=number,
    )


def _type5(fabric: Fabric, name: str, l3: L3Vni) -> Check:
    """From every other VTEP of the tenant the prefixes it should announce."""
    number = l3.vrf.vni
    kind, subject = CheckKind.TYPE5, f"{number} {l3.vrf.name}"
    expected = f"{l3.route_target}: {listed(l3.prefixes_expected)}, each from all that have it"
    routes = fabric.readings[name].routes[5]
    if isinstance(routes, Unknown):
        return unknown(kind, name, subject, routes, expected=expected, vni=number)
    seen: dict[str, set[IPv4Network]] = {}
    for route in routes:
        mine = route.vni == number or l3.route_target in route.targets
        if route.prefix is not None and mine:
            for origin in fabric.names(route.next_hops) - fabric.itself(name):
                seen.setdefault(origin, set()).add(route.prefix)
    missing = _unannounced(fabric, name, l3, seen)
    prefixes = listed(frozenset[IPv4Network]().union(*seen.values()))
    lacking = listed(f"{prefix} of {origin}" for origin, prefix in missing)
    return check(
        kind,
        name,
        subject,
        expected=expected,
        ok=not missing,
        seen=f"{l3.route_target}: {prefixes}" + (f"; missing: {lacking}" if missing else ""),
        peers=sorted({origin for origin, _ in missing}),
        vni=number,
    )


def _unannounced(
    fabric: Fabric, name: str, l3: L3Vni, seen: Mapping[str, Collection[IPv4Network]]
) -> list[tuple[str, IPv4Network]]:
    """(VTEP, prefix) that should be `seen` and are not."""
    wanted: dict[str, set[IPv4Network]] = {}
    for prefix in l3.prefixes_expected:
        for origin in fabric.origins.get((l3.vrf.vni, prefix), frozenset()) - fabric.itself(name):
            wanted.setdefault(origin, set()).add(prefix)
    return [
        (origin, prefix)
        for origin, prefixes in wanted.items()
        for prefix in _missing(l3, prefixes, seen.get(origin, ()))
    ]


def _missing(
    l3: L3Vni, wanted: Collection[IPv4Network], seen: Collection[IPv4Network]
) -> frozenset[IPv4Network]:
    """What of `wanted` is not `seen`.

    A border must show a way out. labctl's announce a default route; in a fabric of somebody
    else's a prefix that is none of the tenant's own serves as well.
    """
    missing = frozenset(wanted).difference(seen)
    own = [network.gateway.network for network in l3.vrf.networks]
    outside = any(not any(prefix.subnet_of(net) for net in own) for prefix in seen)
    return missing - {DEFAULT_ROUTE} if outside else missing


def _vrf_routes(fabric: Fabric, name: str, l3: L3Vni) -> Check:
    """Prefixes of other VTEPs are in the VRF's table, selected.

    Where the node has the subnet itself, its connected route wins, which is as good. Kernel
    routes don't count: a VRF without a default often has an `unreachable` one.
    """
    number, vrf = l3.vrf.vni, l3.vrf.name
    kind, expected = CheckKind.VRF_ROUTES, f"routes to {listed(l3.prefixes_expected)}"
    table = fabric.readings[name].ribs[vrf]
    if isinstance(table, Unknown):
        return unknown(kind, name, vrf, table, expected=expected, vni=number)
    routes = {route.prefix for route in table if route.selected and route.protocol != "kernel"}
    missing = _missing(l3, l3.prefixes_expected, routes)
    return check(
        kind,
        name,
        vrf,
        expected=expected,
        ok=not missing,
        seen=f"no route to {listed(missing)}" if missing else "all there",
        peers=_origins(fabric, name, number, missing),
        vni=number,
    )


def _origins(fabric: Fabric, name: str, number: int, prefixes: Iterable[IPv4Network]) -> list[str]:
    """The other VTEPs that should have announced `prefixes`."""
    found = {o for p in prefixes for o in fabric.origins.get((number, p), ())}
    return sorted(found - fabric.itself(name))


def _gateways(fabric: Fabric, name: str, node: NodeIntent) -> Iterator[Check]:
    """The anycast gateway is on the VTEP: its subnet is connected in the VRF's table."""
    for l2 in node.l2vnis:
        network = l2.network
        kind, expected = CheckKind.GATEWAY, f"{network.gateway} in {l2.vrf}"
        table = fabric.readings[name].ribs.get(l2.vrf, Unknown(f"no routing table of {l2.vrf}"))
        if isinstance(table, Unknown):
            yield unknown(kind, name, network.name, table, expected=expected, vni=network.vni)
            continue
        ok = any(
            route.prefix == network.gateway.network and route.protocol == "connected"
            for route in table
        )
        seen = "connected" if ok else f"{network.gateway.network} is not connected"
        yield check(kind, name, network.name, expected=expected, ok=ok, seen=seen, vni=network.vni)
