"""Domains: list, define, run, mark, undefine. Functions over an open connection.

Every function looks its domain up by name, so none keeps a handle that may go stale.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from xml.etree import ElementTree

import libvirt

from labctl.errors import HypervisorError
from labctl.hypervisor import parse
from labctl.hypervisor.observed import DomainState, ObservedDomain
from labctl.hypervisor.refusal import GONE, UNSUPPORTED, refused, translate
from labctl.model.metadata import METADATA_NS, LabMetadata, to_xml

_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: DomainState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: DomainState.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: DomainState.SHUT_OFF,
    libvirt.VIR_DOMAIN_CRASHED: DomainState.CRASHED,
}
_METADATA_PREFIX = "labctl"
_SCHEMA_RACE = "Unable to parse RNG"
_KEEP_NOTHING = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
)
# Most first: drivers refuse flags they don't know (the test driver NVRAM and checkpoints).
_UNDEFINE_FLAGS = (
    _KEEP_NOTHING | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM,
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
)


def list_domains(connection: libvirt.virConnect) -> tuple[ObservedDomain, ...]:
    """All domains, one call for all states and one per domain for its XML.

    A domain that goes away meanwhile is left out.
    """
    with refused("list the domains"):
        stats = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, 0)
        found = [_observe(domain, values["state.state"]) for domain, values in stats]
    return tuple(domain for domain in found if domain is not None)


def observe(connection: libvirt.virConnect, name: str) -> ObservedDomain | None:
    """One domain, None when there is none of that name."""
    domain = find(connection, name)
    if domain is None:
        return None
    with refused(f"look at domain {name}"):
        try:
            return _observe(domain, domain.state(0)[0])
        except libvirt.libvirtError as error:
            if error.get_error_code() in GONE:
                return None
            raise


def find(connection: libvirt.virConnect, name: str) -> libvirt.virDomain | None:
    """libvirt's handle of a domain, None when there is none of that name."""
    try:
        return connection.lookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() in GONE:
            return None
        raise translate(error, f"look up domain {name}") from error


def need(connection: libvirt.virConnect, name: str) -> libvirt.virDomain:
    """libvirt's handle of a domain; HypervisorError when there is none of that name."""
    with refused(f"look up domain {name}"):
        return connection.lookupByName(name)


def define(connection: libvirt.virConnect, xml: str) -> None:
    """Define or redefine; libvirt drops unknown elements silently unless told to validate.

    Asked by several at once, a libvirtd that has just started may fail to read its own schema:
    libxml2 sets up its types at the first need, and not safely for threads. It is asked again.
    """
    with refused(f"define domain {_name_in(xml)}"):
        try:
            connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        except libvirt.libvirtError as error:
            if _SCHEMA_RACE not in str(error):
                raise
            connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)


def run_transient(connection: libvirt.virConnect, xml: str) -> None:
    """Start a domain that leaves no definition behind."""
    with refused(f"run transient domain {_name_in(xml)}"):
        connection.createXML(xml, libvirt.VIR_DOMAIN_START_VALIDATE)


def start(connection: libvirt.virConnect, name: str, *, paused: bool) -> None:
    """Power on; a domain that is active already is left as it is."""
    domain = need(connection, name)
    call = partial(_start_paused, domain) if paused else domain.create
    _unless(domain, call, f"start domain {name}", _is_active)


def _start_paused(domain: libvirt.virDomain) -> None:
    try:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        domain.create()  # the test driver does not know the flag
        domain.suspend()


def resume(connection: libvirt.virConnect, name: str) -> None:
    """Let a paused domain run on; one that runs already is left as it is."""
    domain = need(connection, name)
    _unless(domain, domain.resume, f"resume domain {name}", _is_running)


def shutdown(connection: libvirt.virConnect, name: str) -> None:
    """Press the power button; a domain that is off already is left as it is."""
    domain = need(connection, name)
    _unless(domain, domain.shutdown, f"shut domain {name} down", _is_off)


def destroy(connection: libvirt.virConnect, name: str) -> None:
    """Power off at once; off already or gone is fine."""
    domain = find(connection, name)
    if domain is not None:
        _unless(domain, domain.destroy, f"power domain {name} off", _is_off)


def undefine(connection: libvirt.virConnect, name: str) -> None:
    """Remove the definition and all that libvirt keeps with it; gone is fine.

    An active domain runs on and becomes transient.
    """
    domain = find(connection, name)
    if domain is None:
        return
    with refused(f"undefine domain {name}"):
        for flags in _UNDEFINE_FLAGS:
            if _undefine_with(domain, flags):
                return
        domain.undefine()


def _undefine_with(domain: libvirt.virDomain, flags: int) -> bool:
    """False when the driver does not know these flags."""
    try:
        domain.undefineFlags(flags)
    except libvirt.libvirtError as error:
        code = error.get_error_code()
        if code in GONE:
            return True
        if code == libvirt.VIR_ERR_INVALID_ARG or code in UNSUPPORTED:
            return False
        raise
    return True


def set_metadata(connection: libvirt.virConnect, name: str, metadata: LabMetadata) -> None:
    """Replace labctl's mark in the definition and, when it runs, in the live domain."""
    domain = need(connection, name)
    with refused(f"mark domain {name}"):
        domain.setMetadata(
            libvirt.VIR_DOMAIN_METADATA_ELEMENT,
            to_xml(metadata),
            _METADATA_PREFIX,
            METADATA_NS,
            _affected(domain),
        )


def xml_of(connection: libvirt.virConnect, name: str) -> str:
    """The domain's XML: live when it runs, else its definition."""
    domain = need(connection, name)
    with refused(f"read the XML of domain {name}"):
        return str(domain.XMLDesc(0))


def set_link(connection: libvirt.virConnect, name: str, mac: str, *, up: bool) -> None:
    """Plug or pull a NIC's cable, in the live domain and in its definition.

    Two calls, each with the XML it changes: the live one holds addresses and aliases that a
    definition need not have.
    """
    domain = need(connection, name)
    with refused(f"set the link of {mac} on domain {name}"):
        scopes = _affected(domain)
        if scopes & libvirt.VIR_DOMAIN_AFFECT_LIVE:
            interface = _interface_xml(name, domain.XMLDesc(0), mac, up=up)
            domain.updateDeviceFlags(interface, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        if scopes & libvirt.VIR_DOMAIN_AFFECT_CONFIG:
            definition = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            interface = _interface_xml(name, definition, mac, up=up)
            domain.updateDeviceFlags(interface, libvirt.VIR_DOMAIN_AFFECT_CONFIG)


def link_is_up(connection: libvirt.virConnect, name: str, mac: str) -> bool:
    """Whether a NIC's cable is plugged in."""
    return parse.link_is_up(find_interface(name, xml_of(connection, name), mac))


def find_interface(name: str, xml: str, mac: str) -> ElementTree.Element:
    """The domain's <interface> with that MAC; HypervisorError when it has none."""
    interface = parse.interface_with(xml, mac)
    if interface is None:
        macs = ", ".join(parse.observed_domain(xml, DomainState.OTHER).macs) or "none"
        raise HypervisorError(
            f"domain {name} has no NIC with MAC {mac}",
            details=f"its NICs: {macs}",
            resolution="`labctl up` gives it the NICs of the file",
        )
    return interface


def _interface_xml(name: str, xml: str, mac: str, *, up: bool) -> str:
    interface = find_interface(name, xml, mac)
    parse.set_link_state(interface, up=up)
    return ElementTree.tostring(interface, encoding="unicode")


def _observe(domain: libvirt.virDomain, state: int) -> ObservedDomain | None:
    try:
        xml = domain.XMLDesc(0)
    except libvirt.libvirtError as error:
        if error.get_error_code() in GONE:
            return None
        raise
    return parse.observed_domain(xml, _STATES.get(state, DomainState.OTHER))


def _affected(domain: libvirt.virDomain) -> int:
    """The flags that reach all there is of a domain: live state, definition, or both."""
    flags = 0
    if domain.isActive():
        flags |= libvirt.VIR_DOMAIN_AFFECT_LIVE
    if domain.isPersistent():
        flags |= libvirt.VIR_DOMAIN_AFFECT_CONFIG
    return flags


def _unless(
    domain: libvirt.virDomain,
    call: Callable[[], object],
    action: str,
    reached: Callable[[libvirt.virDomain], bool],
) -> None:
    """Make the call; when libvirt refuses, that is fine if its end is `reached` already.

    Asking after the refusal, not before the call, leaves no gap between question and deed.
    """
    with refused(action):
        try:
            call()
        except libvirt.libvirtError:
            if not reached(domain):
                raise


def _is_active(domain: libvirt.virDomain) -> bool:
    return bool(domain.isActive())


def _is_running(domain: libvirt.virDomain) -> bool:
    return bool(domain.state(0)[0] == libvirt.VIR_DOMAIN_RUNNING)


def _is_off(domain: libvirt.virDomain) -> bool:
    """Off, or gone with its end as transient domains do."""
    try:
        return not domain.isActive()
    except libvirt.libvirtError as error:
        if error.get_error_code() in GONE:
            return True
        raise


def _name_in(xml: str) -> str:
    try:
        return ElementTree.fromstring(xml).findtext("name", "without a name")
    except ElementTree.ParseError:
        return "of malformed XML"
