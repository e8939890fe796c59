"""libvirt's XML to what labctl observes: pure, shared by the adapter and the tests' fake.

libvirt writes this XML itself, from a document it has checked, so the standard parser is safe
here: no DTD or entity survives libvirt.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from labctl.hypervisor.observed import DomainState, ObservedDomain, ObservedNetwork, UdpEnd
from labctl.model.metadata import METADATA_NS, LabMetadata, from_element

_KIB = 1024
# libvirt, docs/formatdomain, "Memory Allocation": the unit attribute; KiB when there is none.
_UNITS = {
    "b": 1, "bytes": 1,
    "KB": 10**3, "k": _KIB, "KiB": _KIB,
    "MB": 10**6, "M": _KIB**2, "MiB": _KIB**2,
    "GB": 10**9, "G": _KIB**3, "GiB": _KIB**3,
    "TB": 10**12, "T": _KIB**4, "TiB": _KIB**4,
}  # fmt: skip


def observed_domain(xml: str, state: DomainState) -> ObservedDomain:
    """One domain from its XML, which does not tell the state."""
    root = ElementTree.fromstring(xml)
    interfaces = root.findall("devices/interface")
    return ObservedDomain(
        name=root.findtext("name", ""),
        uuid=root.findtext("uuid", ""),
        state=state,
        memory=_mebibytes(root.find("memory")),
        vcpus=int(root.findtext("vcpu", "1")),
        metadata=_mark(root),
        macs=tuple(mac for interface in interfaces if (mac := mac_of(interface))),
        udp=tuple(_udp_end(nic) for nic in interfaces if nic.get("type") == "udp"),
        disks=tuple(_disk_sources(root)),
    )


def observed_network(xml: str, *, active: bool) -> ObservedNetwork:
    """One network from its XML, which does not tell whether it is active."""
    root = ElementTree.fromstring(xml)
    bridge = root.find("bridge")
    mark = _mark(root)
    return ObservedNetwork(
        name=root.findtext("name", ""),
        uuid=root.findtext("uuid", ""),
        active=active,
        bridge="" if bridge is None else bridge.get("name", ""),
        subnets=tuple(_subnet(address) for address in root.findall("ip")),
        lab=None if mark is None else mark.lab,
    )


def interface_with(xml: str, mac: str) -> Element | None:
    """The <interface> element with that MAC, or None."""
    for interface in ElementTree.fromstring(xml).iterfind("devices/interface"):
        if mac_of(interface) == mac.lower():
            return interface
    return None


def mac_of(interface: Element) -> str:
    """The MAC of an <interface>, lower case; "" before libvirt chose one."""
    element = interface.find("mac")
    return "" if element is None else element.get("address", "").lower()


def link_is_up(interface: Element) -> bool:
    """The cable's state; an <interface> without <link> is plugged in."""
    link = interface.find("link")
    return link is None or link.get("state") != "down"


def set_link_state(interface: Element, *, up: bool) -> None:
    """Plug or pull the cable of an <interface>, in place."""
    link = interface.find("link")
    if link is None:
        link = ElementTree.SubElement(interface, "link")
    link.set("state", "up" if up else "down")


def guest_virt_types(capabilities: str) -> frozenset[str]:
    """The domain types host capabilities offer for any guest architecture: kvm, qemu, test."""
    found = ElementTree.fromstring(capabilities).iterfind("guest/arch/domain")
    return frozenset(domain.get("type", "") for domain in found)


def guest_machines(capabilities: str, arch: str) -> frozenset[str]:
    """The machine types, aliases and canonical names both, for guests of `arch`."""
    names: set[str] = set()
    for machine in ElementTree.fromstring(capabilities).iterfind(
        f"guest/arch[@name='{arch}']//machine"
    ):
        names.update(filter(None, (machine.text, machine.get("canonical"))))
    return frozenset(names)


def qemu_owner(capabilities: str) -> tuple[int, int] | None:
    """The user and group id libvirt starts QEMU as (the DAC base label), None if it doesn't say."""
    for model in ElementTree.fromstring(capabilities).iterfind("host/secmodel"):
        if model.findtext("model") == "dac" and (label := model.findtext("baselabel")):
            user, group = label.split(":")
            return int(user.lstrip("+")), int(group.lstrip("+"))
    return None


def enum_values(domain_capabilities: Element, path: str, name: str) -> frozenset[str]:
    """The values of <enum name=...> at `path` of a domain capabilities document."""
    found = domain_capabilities.iterfind(f"{path}/enum[@name='{name}']/value")
    return frozenset(value.text or "" for value in found)


def _mebibytes(memory: Element | None) -> int:
    if memory is None:
        return 0
    return int(memory.text or 0) * _UNITS[memory.get("unit", "KiB")] // _KIB**2


def _mark(root: Element) -> LabMetadata | None:
    """labctl's mark. One of a form unknown to this labctl counts as none."""
    metadata = root.find("metadata")
    for element in () if metadata is None else metadata:
        if element.tag.startswith(f"{{{METADATA_NS}}}"):
            try:
                return from_element(element)
            except ValueError:
                return None
    return None


def _udp_end(interface: Element) -> UdpEnd:
    source = interface.find("source")
    local = None if source is None else source.find("local")
    return UdpEnd(mac_of(interface), _endpoint(local), _endpoint(source), link_is_up(interface))


def _endpoint(element: Element | None) -> tuple[str, int]:
    if element is None:
        return ("", 0)
    return (element.get("address", ""), int(element.get("port", "0")))


def _disk_sources(root: Element) -> list[str]:
    sources = root.iterfind("devices/disk/source")
    return [path for each in sources if (path := each.get("file") or each.get("dev"))]


def _subnet(address: Element) -> str:
    """The subnet of a network's <ip>; a lone address (libvirt allows it) counts as its own."""
    from ipaddress import ip_interface  # only needed here, and slow to import

    size = address.get("prefix") or address.get("netmask")
    host = address.get("address", "")
    return str(ip_interface(f"{host}/{size}" if size else host).network)
