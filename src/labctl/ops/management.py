"""A lab's management network: whether it has one, where, and how it comes back when it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from labctl.fabric.addresses import management_subnet
from labctl.hypervisor.api import HostFacts, Hypervisor, ObservedNetwork
from labctl.model.identity import network_name
from labctl.model.lab import Lab
from labctl.model.site import ManagementMode


def management_mode(lab: Lab, host: HostFacts) -> ManagementMode:
    """How the lab's nodes are managed on this host."""
    if not lab.management.enabled or host.driver != "QEMU":
        return "none"
    return "user" if host.is_session else "nat"


def subnet_for(
    lab: Lab, mode: ManagementMode, networks: Iterable[ObservedNetwork]
) -> IPv4Network | None:
    """The file's subnet, else the one the lab has, else a free one derived from its name."""
    if mode != "nat":
        return None
    if lab.management.subnet is not None:
        return lab.management.subnet
    taken = []
    for network in networks:
        subnets = [IPv4Network(subnet) for subnet in network.subnets if ":" not in subnet]
        if network.name == network_name(lab.name) and network.lab == lab.name and subnets:
            return subnets[0]
        taken += subnets
    return management_subnet(lab.name, len(lab.nodes), taken)


def bring_back_network(hypervisor: Hypervisor, lab: Lab) -> bool:
    """Have the lab's network there and active, as its file wants it; False when it was.

    No machine may be plugged into it.
    """
    from labctl.render.network import network_xml  # jinja2: only where something is rendered

    networks = hypervisor.networks()
    subnet = subnet_for(lab, management_mode(lab, hypervisor.host()), networks)
    if subnet is None:
        return False
    there = next((n for n in networks if n.lab == lab.name), None)
    if there is not None and there.active and there.subnets == (str(subnet),):
        return False
    if there is not None:
        hypervisor.remove_network(there.name)
    hypervisor.define_network(network_xml(lab.name, subnet))
    return True
