"""The lab's management network: NAT, without DHCP or DNS, since addresses come by day-0."""

from __future__ import annotations

from ipaddress import IPv4Network

from labctl import __version__
from labctl.model.identity import bridge_name, network_name, network_uuid
from labctl.model.metadata import LabMetadata, to_xml
from labctl.render.environment import xml_environment


def network_xml(lab: str, subnet: IPv4Network) -> str:
    """libvirt XML of the network; the host has the subnet's first address.

    Without DHCP and DNS libvirt starts no dnsmasq, so none need be installed.
    """
    from markupsafe import Markup

    mark = to_xml(LabMetadata(lab, node="", role="", platform="", version=__version__, spec=""))
    template = xml_environment().get_template("network/management.xml.j2")
    return template.render(
        name=network_name(lab),
        uuid=network_uuid(lab),
        mark=Markup(mark),
        bridge=bridge_name(lab),
        gateway=subnet.network_address + 1,
        netmask=subnet.netmask,
    )
