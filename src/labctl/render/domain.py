"""Domain XML: one node's machine, without labctl's mark, which is put in last."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.errors import InternalError
from labctl.model.identity import domain_name, domain_uuid, network_name, serial_number
from labctl.model.intent import NodeIntent
from labctl.model.lab import Endpoint
from labctl.model.platform import Platform
from labctl.model.site import TRANSLATION_CACHE, ImageRef, Site
from labctl.render.environment import xml_environment

_FIRST_SLOT = 4
"""Below it are the chipset, the display's usual place and the disk controller."""
_DISK_PREFIX = {"virtio": "vd", "sata": "sd", "scsi": "sd", "usb": "sd", "ide": "hd"}
# Values are escaped, so this text can only come from the template itself.
_MARK_PLACE = "<metadata/>"


def udp_ports(node: NodeIntent, ports: Mapping[Endpoint, int]) -> Mapping[str, tuple[int, int]]:
    """Interface name -> (local port, remote port) of the node's wired data NICs."""
    name = node.node.name
    return {port.name: (ports[Endpoint(name, port.name)], ports[port.far]) for port in node.ports}


def domain_xml(
    lab: str,
    node: NodeIntent,
    platform: Platform,
    *,
    site: Site,
    ports: Mapping[str, tuple[int, int]],
    image: ImageRef,
) -> str:
    """The machine, with an empty <metadata/> for `with_mark`."""
    name = node.node.name
    files = site.home.lab(lab).node(name)
    disk, cdrom = _drives(platform)
    template = xml_environment().get_template(platform.domain_template)
    wired = {port.number: port.name for port in node.ports}
    return template.render(
        virt_type=site.virt_type,
        translation_cache=TRANSLATION_CACHE,
        emulator=site.emulator,
        name=domain_name(lab, name),
        uuid=domain_uuid(lab, name),
        memory=node.node.memory,
        vcpus=node.node.vcpus,
        machine=platform.machine,
        overlay=files.overlay,
        golden=image.path,
        day0=files.day0,
        console_log=files.console_log,
        disk=disk,
        disk_bus=platform.disk_bus,
        cdrom=cdrom,
        cdrom_bus=platform.cdrom_bus,
        nic_model=platform.nic_model,
        management=site.management if platform.interfaces.management else "none",
        management_name=platform.interfaces.management,
        management_mac=node.mac_by_nic[0],
        network=network_name(lab),
        nics=[(port.name, node.mac_by_nic[port.number], *ports[port.name]) for port in node.ports],
        slots=[_slot(number, mac, wired, ports) for number, mac in node.mac_by_nic.items()],
        firmware=site.firmware_for(platform),
        variables=files.variables,
        serial_number=serial_number(lab, name),
        serial_ports=platform.serial_ports,
        cpu_hide=platform.cpu_hide,
    )


def _slot(
    number: int, mac: str, wired: Mapping[int, str], ports: Mapping[str, tuple[int, int]]
) -> dict[str, object]:
    """A NIC in its fixed place: eight functions a slot, so that 129 fit on one bus in order.

    Without addresses libvirt puts those from the 29th on behind bridges, and the order is lost
    (facts: measured with libvirt 9.0; EVE-NG and GNS3/gns3-server issue 1611 use the same places).
    """
    name = wired.get(number, "")
    local, remote = ports.get(name, (0, 0))
    return {
        "mac": mac,
        "name": name,
        "local": local,
        "remote": remote,
        "slot": f"0x{_FIRST_SLOT + number // 8:02x}",
        "function": f"0x{number % 8}",
        "first": number % 8 == 0,
        "management": number == 0,
    }


def with_mark(xml: str, mark: str) -> str:
    """The same machine, with labctl's mark (an XML element) as its metadata."""
    head, found, tail = xml.partition(_MARK_PLACE)
    if not found:
        raise InternalError(f"the domain template lacks {_MARK_PLACE}")
    return f"{head}<metadata>{mark}</metadata>{tail}"


def _drives(platform: Platform) -> tuple[str, str]:
    """Target names of disk and CD-ROM: letters count per prefix."""
    disk, cdrom = _DISK_PREFIX[platform.disk_bus], _DISK_PREFIX[platform.cdrom_bus]
    return f"{disk}a", f"{cdrom}{'b' if disk == cdrom else 'a'}"
