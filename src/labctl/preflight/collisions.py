"""Is it free? Names, UUIDs, MACs, UDP ports and the management network, across all labs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, ip_network
from pathlib import Path

from labctl.hypervisor.api import ObservedDomain
from labctl.model.finding import Finding, Severity
from labctl.model.identity import bridge_name, domain_name, domain_uuid, network_name
from labctl.preflight.facts import Facts

_SHOWN = 8


def check_domains(facts: Facts) -> Iterable[Finding]:
    """Names and UUIDs that somebody else's domains have, and a lab of this name run elsewhere."""
    names = {domain_name(facts.lab_name, node): node for node in facts.intent.nodes}
    uuids = {str(domain_uuid(facts.lab_name, node)): node for node in facts.intent.nodes}
    found: list[Finding] = []
    for domain in facts.domains:
        if facts.is_ours(domain):
            found += _elsewhere(facts, domain)
        elif domain.name in names:
            found.append(_taken(names[domain.name], f"the name {domain.name}", domain))
        elif domain.uuid in uuids:
            found.append(_taken(uuids[domain.uuid], f"the UUID {domain.uuid}", domain))
    return found or [
        Finding("domains", Severity.OK, f"{len(names)} names and UUIDs are free or this lab's own")
    ]


def check_macs(facts: Facts) -> Iterable[Finding]:
    """MACs of the lab that other domains use too."""
    ours = {
        mac: name for name, node in facts.intent.nodes.items() for mac in node.mac_by_nic.values()
    }
    clashes = [
        (mac, ours[mac], domain)
        for domain in facts.domains
        if not facts.is_ours(domain)
        for mac in domain.macs
        if mac in ours
    ]
    if not clashes:
        yield Finding("macs", Severity.OK, f"{len(ours)} MAC addresses are free")
    for mac, node, domain in clashes:
        yield _taken(node, f"the MAC address {mac}", domain, check="macs")


def check_ports(facts: Facts) -> Iterable[Finding]:
    """UDP ports of the lab's links that other domains bind, or other programs of this host."""
    taken = {
        end.local[1]: f"domain {domain.name}"
        for domain in facts.domains
        if not facts.is_ours(domain)
        for end in domain.udp
    }
    own = {end.local[1] for d in facts.domains if facts.is_ours(d) for end in d.udp}
    for port in (facts.udp_in_use or frozenset()) - own:
        taken.setdefault(port, "another program of this host")
    clashes = [(end, port) for end, port in facts.ports.items() if port in taken]
    if not clashes:
        yield Finding("udp ports", Severity.OK, f"{len(facts.ports)} UDP ports are free")
        return
    lines = [f"{port} of {end} by {taken[port]}" for end, port in clashes]
    yield Finding(
        "udp ports",
        Severity.REFUSE,
        f"{len(clashes)} UDP ports are in use: {_some(lines)}",
        "stop what uses them; QEMU would bind them all the same and cross the wires",
        nodes=tuple(dict.fromkeys(end.node for end, _ in clashes)),
        evidence={"ports": sorted(port for _, port in clashes)},
    )


def check_management(facts: Facts) -> Iterable[Finding]:
    """The management network's name, bridge and subnet."""
    subnet = facts.intent.management_subnet
    if subnet is None:
        return
    found = [*_among_networks(facts, subnet), *_among_routes(facts, subnet)]
    yield from found or [
        Finding("management", Severity.OK, f"{subnet} and {bridge_name(facts.lab_name)} are free")
    ]
    if facts.routes is None:
        reason = "the host's own routes can't be seen, so they are not compared with the subnet"
        yield Finding("management", Severity.NOTE, reason)


def _among_networks(facts: Facts, subnet: IPv4Network) -> Iterator[Finding]:
    own, bridge = network_name(facts.lab_name), bridge_name(facts.lab_name)
    for network in facts.networks:
        if network.lab == facts.lab_name:
            continue
        if network.name == own:
            yield _refused(f"the name {own} is a network's that labctl did not make", network.name)
        elif network.bridge == bridge:
            yield _refused(f"the bridge {bridge} is that of network {network.name}", network.name)
        overlapping = [s for s in network.subnets if _overlap(subnet, s)]
        for other in overlapping:
            yield _refused(f"{subnet} overlaps {other} of network {network.name}", network.name)


def _among_routes(facts: Facts, subnet: IPv4Network) -> Iterator[Finding]:
    bridge = bridge_name(facts.lab_name)
    bridges = {network.bridge for network in facts.networks if network.active}
    for route in facts.routes or ():
        # libvirt's own networks are compared above; a default route overlaps everything
        if route.interface in bridges or not route.network.prefixlen:
            continue
        if route.interface == bridge:
            yield _refused(f"an interface {bridge} is there that no network owns", bridge)
        elif route.network.overlaps(subnet):
            words = f"{subnet} overlaps {route.network}, which the host reaches by "
            yield _refused(words + route.interface, route.interface)


def _overlap(subnet: IPv4Network, other: str) -> bool:
    network = ip_network(other, strict=False)
    return isinstance(network, IPv4Network) and network.overlaps(subnet)


def _refused(message: str, culprit: str) -> Finding:
    return Finding(
        "management",
        Severity.REFUSE,
        message,
        "choose another subnet, or none, with `management:` in the file, or remove the other one",
        evidence={"culprit": culprit},
    )


def _elsewhere(facts: Facts, domain: ObservedDomain) -> Iterator[Finding]:
    """A domain of a lab of this name with all its disks outside this lab's folder."""
    folder = facts.home.lab(facts.lab_name).folder
    if domain.disks and not any(Path(disk).is_relative_to(folder) for disk in domain.disks):
        yield Finding(
            "domains",
            Severity.REFUSE,
            f"a lab {facts.lab_name} is run from another folder: the disk of {domain.name} is "
            f"{domain.disks[0]}",
            "give the lab another name, or use the LABCTL_HOME it was made with",
            nodes=(domain.metadata.node,) if domain.metadata else (),
            evidence={"disks": list(domain.disks)},
        )


def _taken(node: str, what: str, domain: ObservedDomain, check: str = "domains") -> Finding:
    owner = f"lab {domain.metadata.lab}" if domain.metadata else "nobody's lab"
    return Finding(
        check,
        Severity.REFUSE,
        f"{what} of {node} is taken by domain {domain.name} ({owner})",
        f"rename the lab, or remove the other: `virsh undefine {domain.name}`",
        nodes=(node,),
        evidence={"domain": domain.name, "uuid": domain.uuid},
    )


def _some(lines: list[str]) -> str:
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return ", ".join(lines[:_SHOWN]) + more
