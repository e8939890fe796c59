"""libvirt networks: list, define and start, remove. Functions over an open connection."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import libvirt

from labctl.hypervisor.api import ObservedNetwork
from labctl.hypervisor.parse import observed_network
from labctl.hypervisor.refusal import GONE, refused, translate

MAC_TABLES = Path("/var/lib/libvirt/dnsmasq")
"""Where the system daemon writes each NAT network's table of MACs. It makes this folder with its
first network that has DHCP or DNS, and without it no guest starts on one that has neither
(libvirt 9.0 on a fresh Debian 12: "Failed to create file '...macs.new'")."""


def list_networks(connection: libvirt.virConnect) -> tuple[ObservedNetwork, ...]:
    """All networks; one that goes away meanwhile is left out."""
    with refused("list the networks"):
        found = [_observe(network) for network in connection.listAllNetworks(0)]
    return tuple(network for network in found if network is not None)


def define_network(connection: libvirt.virConnect, xml: str) -> None:
    """Define or redefine a network (same UUID) and start it when it is not active.

    An active network runs on with its old settings until it is removed: whoever changes its
    addresses calls remove_network first.
    """
    with refused("define the network"):
        network = connection.networkDefineXMLFlags(xml, libvirt.VIR_NETWORK_DEFINE_VALIDATE)
    with refused(f"start network {network.name()}"):
        try:
            network.create()
        except libvirt.libvirtError:
            if not network.isActive():
                raise
    if connection.getURI() == "qemu:///system" and os.geteuid() == 0:
        make_folder(MAC_TABLES)


def make_folder(folder: Path) -> None:
    """Make `folder` if it isn't there; where that fails, libvirt's own refusal tells of it."""
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)


def remove_network(connection: libvirt.virConnect, name: str) -> None:
    """Stop and undefine a network; stopped already or gone is fine."""
    try:
        network = connection.networkLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() in GONE:
            return
        raise translate(error, f"look up network {name}") from error
    with refused(f"remove network {name}"):
        for step in (network.destroy, network.undefine):
            try:
                step()
            except libvirt.libvirtError as error:
                if error.get_error_code() not in {*GONE, libvirt.VIR_ERR_OPERATION_INVALID}:
                    raise


def _observe(network: libvirt.virNetwork) -> ObservedNetwork | None:
    try:
        return observed_network(network.XMLDesc(0), active=bool(network.isActive()))
    except libvirt.libvirtError as error:
        if error.get_error_code() in GONE:
            return None
        raise
