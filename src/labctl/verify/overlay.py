"""Checks of the L2 VNIs: presence, route targets, VTEP sets, type-3 and type-2 routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address

from labctl.devices.facts import VniTargets
from labctl.devices.reading import NodeReading, Unknown
from labctl.model.intent import L2Vni, NodeIntent
from labctl.model.lab import Replication
from labctl.verify.fabric import Fabric
from labctl.verify.make import check, listed, unknown
from labctl.verify.model import Check, CheckKind


def overlay_checks(fabric: Fabric, heard: frozenset[str]) -> Iterator[Check]:
    """All L2 VNI checks. `heard`: addresses of hosts known to have spoken (pings)."""
    ingress = fabric.intent.lab.fabric.replication is Replication.INGRESS
    for name, node in fabric.vteps.items():
        reading = fabric.readings[name]
        for l2 in node.l2vnis:
            number = l2.network.vni
            yield vni_up(name, reading, number, l2.network.name)
            yield targets(name, reading, number, l2.route_target)
            if ingress:  # else the group does what lists and type-3 routes do
                yield _vtep_set(fabric, name, l2)
                yield _type3(fabric, name, l2)
        yield from _type2(fabric, name, node, heard)


def vni_up(name: str, reading: NodeReading, number: int, subject: str) -> Check:
    """The device has the VNI and calls it up, BGP has it too, and its VXLAN device is up."""
    kind, expected, label = CheckKind.VNI, f"VNI {number} up", f"{number} {subject}".strip()
    vni, target = reading.vni(number), reading.targets(number)
    devices = reading.vxlan_devices
    problems = []
    if vni is None:
        problems.append("no such VNI")
    elif not isinstance(vni, Unknown) and vni.state.lower() not in ("", "up"):
        problems.append(f"state {vni.state}")
    if isinstance(target, VniTargets) and not target.live:
        problems.append("BGP has it no longer from the kernel")
    elif target is None:
        problems.append("BGP does not have it")
    if not isinstance(devices, Unknown):
        device = devices.get(number)
        if device is None:
            problems.append("no VXLAN device")
        elif not device.up:
            problems.append(f"VXLAN device {device.name} is down")
    if not problems and isinstance(vni, Unknown) and isinstance(target, Unknown):
        return unknown(kind, name, label, vni, expected=expected, vni=number)
    seen = ", ".join(problems) or "up"
    return check(kind, name, label, expected=expected, ok=not problems, seen=seen, vni=number)


def targets(name: str, reading: NodeReading, number: int, wanted: str) -> Check:
    """The VNI imports and exports the intended route target."""
    kind, expected = CheckKind.ROUTE_TARGET, f"import and export {wanted}"
    found = reading.targets(number)
    if found is None:
        found = Unknown("BGP does not have the VNI")
    if isinstance(found, Unknown):
        return unknown(kind, name, str(number), found, expected=expected, vni=number)
    ok = wanted in found.imports and wanted in found.exports
    seen = f"import {listed(found.imports)}, export {listed(found.exports)}"
    return check(kind, name, str(number), expected=expected, ok=ok, seen=seen, vni=number)


def _vtep_set(fabric: Fabric, name: str, l2: L2Vni) -> Check:
    """Exactly the intended VTEPs. A count alone can only show that the set is wrong."""
    number = l2.network.vni
    kind, subject = CheckKind.VTEP_SET, f"{number} {l2.network.name}"
    wanted = fabric.names(l2.remote_vteps)
    expected = f"remote VTEPs {_with_names(fabric, l2.remote_vteps)}"
    vni = fabric.readings[name].vni(number)
    if vni is None:
        vni = Unknown("the node does not have the VNI")
    elif not isinstance(vni, Unknown) and vni.remote_vteps is None and vni.remote_count is None:
        vni = Unknown("the node does not say which VTEPs the VNI floods to")
    if isinstance(vni, Unknown):
        return unknown(kind, name, subject, vni, expected=expected, peers=wanted, vni=number)
    if vni.remote_vteps is None:
        seen = f"{vni.remote_count} remote VTEPs, addresses not shown"
        ok, wrong = (None if vni.remote_count == len(wanted) else False), wanted
    else:
        seen = f"remote VTEPs {_with_names(fabric, vni.remote_vteps)}"
        wrong = fabric.names(vni.remote_vteps) ^ wanted
        ok = not wrong
    return check(
        kind, name, subject, expected=expected, ok=ok, seen=seen, peers=sorted(wrong), vni=number
    )


def _with_names(fabric: Fabric, vteps: Iterable[IPv4Address]) -> str:
    return listed(f"{fabric.vtep_name(vtep)} ({vtep})" for vtep in vteps)


def _type3(fabric: Fabric, name: str, l2: L2Vni) -> Check:
    """A type-3 route with the VNI's route target from every VTEP that carries it."""
    number = l2.network.vni
    kind, subject, wanted = CheckKind.TYPE3, str(number), fabric.names(l2.remote_vteps)
    expected = f"{l2.route_target} from {listed(wanted)}"
    routes = fabric.readings[name].routes[3]
    if isinstance(routes, Unknown):
        return unknown(kind, name, subject, routes, expected=expected, peers=wanted, vni=number)
    mine = (r for r in routes if r.vni == number or l2.route_target in r.targets)
    origins = [route.originator for route in mine if route.originator]
    seen = fabric.names(origins) - fabric.itself(name)
    return check(
        kind,
        name,
        subject,
        expected=expected,
        ok=wanted <= seen,
        seen=f"{l2.route_target} from {listed(seen)}",
        peers=sorted(wanted - seen),
        vni=number,
    )


def _type2(fabric: Fabric, name: str, node: NodeIntent, heard: frozenset[str]) -> Iterator[Check]:
    """MAC/IP routes of the hosts behind other VTEPs, as far as those have spoken.

    A host that was silent has no type-2 route in a healthy fabric either.
    """
    for l2 in node.l2vnis:
        number = l2.network.vni
        behind = {
            str(leg.address.ip): fabric.leaf_of[host]
            for host, leg in fabric.legs
            if leg.network.vni == number and not fabric.itself(name) & {*fabric.leaf_of[host]}
        }
        if behind:
            yield _hosts_known(fabric, name, l2, behind, heard)


def _hosts_known(
    fabric: Fabric,
    name: str,
    l2: L2Vni,
    behind: Mapping[str, tuple[str, ...]],
    heard: frozenset[str],
) -> Check:
    """`behind`: the addresses of the hosts behind other VTEPs, with the switches they hang on."""
    kind, number = CheckKind.TYPE2, l2.network.vni
    subject, expected = f"{number} {l2.network.name}", f"MAC/IP of {listed(behind)}"
    routes, wanted = fabric.readings[name].routes[2], behind.keys() & heard
    if isinstance(routes, Unknown):
        return unknown(kind, name, subject, routes, expected=expected, vni=number)
    if not wanted:
        why = Unknown("no ping shows that these hosts have spoken")
        return unknown(kind, name, subject, why, expected=expected, vni=number)
    missing = wanted - {route.address for route in routes}
    silent = len(behind) - len(wanted)
    remark = f" ({silent} silent host(s) left out)" if silent else ""
    return check(
        kind,
        name,
        subject,
        expected=expected,
        ok=not missing,
        seen=f"MAC/IP of {listed(wanted - missing)}{remark}",
        peers=sorted({leaf for host in missing for leaf in behind[host]}),
        vni=number,
    )
