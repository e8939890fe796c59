"""What a host is and offers, all asked through libvirt so that it holds for remote hosts."""

from __future__ import annotations

from time import monotonic
from xml.etree import ElementTree

import libvirt

from labctl.hypervisor.api import DomainCapabilities, HostFacts
from labctl.hypervisor.parse import enum_values, guest_machines, guest_virt_types, qemu_owner
from labctl.hypervisor.refusal import UNSUPPORTED, refused

ARCH = "x86_64"


def host_facts(connection: libvirt.virConnect, uri: str) -> HostFacts:
    """The host's facts as of now."""
    with refused("read the host's facts"):
        total, free = _memory(connection)
        return HostFacts(
            uri=uri,
            hostname=connection.getHostname(),
            cpus=connection.getCPUMap(0)[1].count(True),
            memory_total=total,
            memory_free=free,
            libvirt_version=_dotted(connection.getLibVersion()),
            hypervisor_version=_dotted(connection.getVersion()),
            is_local=is_local(uri),
            is_session=_split(uri)[1] == "session",
            driver=connection.getType(),
        )


def is_local(uri: str) -> bool:
    """No host in the URI means this machine, also with ?socket=."""
    return not _split(uri)[0]


def _split(uri: str) -> tuple[str, str]:
    """Host and path of a URI. By hand: urllib costs `labctl status` milliseconds to import."""
    host, _, path = uri.partition("://")[2].partition("?")[0].partition("/")
    return host, path


def virt_types(connection: libvirt.virConnect) -> frozenset[str]:
    """The domain types offered; see Hypervisor.virt_types."""
    with refused("read the host's capabilities"):
        return guest_virt_types(connection.getCapabilities())


def domain_capabilities(
    connection: libvirt.virConnect, virt_type: str, machine: str
) -> DomainCapabilities | None:
    """What the host's QEMU offers; None where the driver can't say.

    HypervisorError when QEMU has no such machine or the host no such virt type.
    """
    with refused(f"read the capabilities of {virt_type} guests on machine {machine}"):
        started = monotonic()
        try:
            xml = connection.getDomainCapabilities(None, ARCH, machine, virt_type, 0)
        except libvirt.libvirtError as error:
            if error.get_error_code() in UNSUPPORTED:
                return None
            raise
        seconds = monotonic() - started
        capabilities = connection.getCapabilities()
    root = ElementTree.fromstring(xml)
    return DomainCapabilities(
        virt_type=virt_type,
        machine=machine,
        emulator=root.findtext("path", ""),
        machines=guest_machines(capabilities, ARCH),
        loader_types=enum_values(root, "os/loader", "type"),
        disk_buses=enum_values(root, "devices/disk", "bus"),
        lookup_seconds=seconds,
        owner=qemu_owner(capabilities),
    )


def _memory(connection: libvirt.virConnect) -> tuple[int | None, int | None]:
    """Total and available MiB. getMemoryStats: getInfo and getFreeMemory count NUMA nodes only,
    which is wrong on machines with hot-plugged memory."""
    try:
        kib = connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() in UNSUPPORTED:
            return None, None
        raise
    return kib["total"] // 1024, (kib["free"] + kib["buffers"] + kib["cached"]) // 1024


def _dotted(version: int) -> str:
    """libvirt's version numbers: 1,000,000 x major + 1,000 x minor + release."""
    return f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
