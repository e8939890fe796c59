"""What the fake keeps of a domain or network, and how it judges XML."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from labctl.errors import HypervisorError
from labctl.hypervisor import parse
from labctl.hypervisor.api import DomainState, ObservedDomain

# What may stand right below <domain> and <network>: libvirt, docs/formatdomain, formatnetwork.
_IN_DOMAIN = (
    "name uuid genid title description metadata memory maxMemory currentMemory memoryBacking "
    "memtune numatune blkiotune cputune resource vcpu vcpus iothreads os bootloader sysinfo "
    "features cpu clock on_poweroff on_reboot on_crash pm perf devices seclabel"
)
_IN_NETWORK = (
    "name uuid metadata title description bridge domain dns forward ip ips mac mtu port portgroup "
    "route virtualport bandwidth vlan"
)
_KNOWN = {"domain": frozenset(_IN_DOMAIN.split()), "network": frozenset(_IN_NETWORK.split())}


@dataclass(slots=True)
class FakeDomain:
    """`config` is None for a transient domain, `live` while it is off."""

    config: Element | None
    live: Element | None = None
    state: DomainState = DomainState.SHUT_OFF

    @property
    def current(self) -> Element:
        """What XMLDesc shows: the live one when there is one."""
        element = self.live if self.live is not None else self.config
        assert element is not None
        return element

    @property
    def elements(self) -> list[Element]:
        """All there is of it."""
        return [element for element in (self.live, self.config) if element is not None]


@dataclass(slots=True)
class FakeNetwork:
    """Its definition, and whether it is active."""

    xml: str
    active: bool


def checked(xml: str, tag: str) -> Element:
    """The parsed document; HypervisorError, as libvirt's schema check, when it is no good."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise refusal("VIR_ERR_XML_DETAIL", f"malformed XML: {error}") from None
    unknown = [each.tag for each in root if each.tag not in _KNOWN[tag] and "}" not in each.tag]
    names = root.findall("name")
    if root.tag != tag or unknown or len(names) != 1 or not names[0].text:
        raise refusal("VIR_ERR_XML_INVALID_SCHEMA", f"not a valid <{tag}>: {unknown or 'name'}")
    return root


def interface_of(root: Element, name: str, mac: str) -> Element:
    """The NIC with that MAC."""
    for interface in root.iterfind("devices/interface"):
        if parse.mac_of(interface) == mac.lower():
            return interface
    raise refusal("VIR_ERR_NO_DEVICE", f"domain {name} has no NIC with MAC {mac}")


def observed(domain: FakeDomain) -> ObservedDomain:
    """The domain as the adapter would tell of it."""
    xml = ElementTree.tostring(domain.current, encoding="unicode")
    return parse.observed_domain(xml, domain.state)


def refusal(code: str, words: str) -> HypervisorError:
    """The error for libvirt's code of that name."""
    return HypervisorError(words, details=code, resolution="mend the test")
