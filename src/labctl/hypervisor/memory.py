"""A machine's memory, to a file and back: what snapshots of labs and warm starts are made of.

The file is libvirt's own ("external memory snapshot", without any snapshot's metadata), so it
takes in every domain libvirt can save: with pflash firmware and read-only media too, which
internal snapshots refuse (libvirt 9.0, measured). No disk is snapshotted: no chain grows.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import libvirt

from labctl.hypervisor.domains import find, need
from labctl.hypervisor.refusal import refused

_SAVE_FLAGS = (
    libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
)


def suspend(connection: libvirt.virConnect, name: str) -> None:
    """Halt a running domain's CPUs; one that is halted already is left as it is."""
    domain = need(connection, name)
    with refused(f"pause domain {name}"):
        if domain.state(0)[0] != libvirt.VIR_DOMAIN_PAUSED:
            domain.suspend()


def save_memory(connection: libvirt.virConnect, name: str, file: Path) -> None:
    """Write the memory and devices of a paused domain to `file`; it stays paused, and active.

    What its disks' caches held is on the disks then: QEMU flushes them before it ends.
    """
    domain = need(connection, name)
    with refused(f"save the memory of {name}"):
        domain.snapshotCreateXML(_snapshot_xml(domain.XMLDesc(0), file), _SAVE_FLAGS)


def restore_memory(connection: libvirt.virConnect, file: Path, xml: str) -> None:
    """Start the domain of `xml` from saved memory, paused. It must be off.

    `xml` may name other files and host ports than were saved, nothing the guest could notice:
    libvirt refuses that.
    """
    name = ElementTree.fromstring(xml).findtext("name", "")
    with refused(f"restore the memory of {name}"):
        connection.restoreFlags(str(file), xml, libvirt.VIR_DOMAIN_SAVE_PAUSED)


def saved_xml(connection: libvirt.virConnect, file: Path) -> str:
    """The XML of the domain whose memory is in `file`, as it ran."""
    with refused(f"read the saved memory {file}"):
        return str(connection.saveImageGetXMLDesc(str(file), 0))


def definition(connection: libvirt.virConnect, name: str) -> str | None:
    """What the domain will be at its next start; None where there is no such definition."""
    domain = find(connection, name)
    if domain is None or not domain.isPersistent():
        return None
    with refused(f"read the definition of domain {name}"):
        return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


def _snapshot_xml(domain_xml: str, file: Path) -> str:
    """No disk's snapshot, the memory's alone. ElementTree does the quoting."""
    root = ElementTree.Element("domainsnapshot")
    ElementTree.SubElement(root, "memory", snapshot="external", file=str(file))
    disks = ElementTree.SubElement(root, "disks")
    for target in ElementTree.fromstring(domain_xml).iterfind("devices/disk/target"):
        ElementTree.SubElement(disks, "disk", name=target.get("dev", ""), snapshot="no")
    return ElementTree.tostring(root, encoding="unicode")
