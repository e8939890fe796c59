"""A Hypervisor in memory, held to the same contract as the real one (tests/contract).

It parses the XML it is given with the adapter's own parser, keeps definitions apart from live
domains as libvirt does, and lets tests inject faults, boots and guests:

    fake.faults.at("start", refuse(), call=3)
    fake.on_start = writes_console_log("labctl-guest: phase ready errors=0")
    fake.guest = lambda domain, argv: CommandResult(0, "", "")
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from harness.fake_calls import call
from harness.fake_console import FakeConsole
from harness.fake_saving import FakeSaving
from harness.fake_state import (
    FakeDomain,
    FakeNetwork,
    checked,
    interface_of,
    observed,
    refusal,
)
from harness.faults import Faults
from labctl.errors import ConsoleBusy
from labctl.hypervisor import parse
from labctl.hypervisor.api import (
    CommandResult,
    ConsoleStream,
    DomainCapabilities,
    DomainState,
    GuestProgram,
    HostFacts,
    ObservedDomain,
    ObservedNetwork,
)
from labctl.model.metadata import METADATA_NS, LabMetadata, to_xml

Guest = Callable[[str, tuple[str, ...]], CommandResult]


class FakeHypervisor(FakeSaving):
    """See the module. Attributes may be set at any time by the test."""

    def __init__(self, uri: str = "fake:///") -> None:
        super().__init__()
        self.uri = uri
        self.faults = Faults()
        self.facts = HostFacts(
            uri=uri,
            hostname="fake",
            cpus=8,
            memory_total=65536,
            memory_free=60000,
            libvirt_version="9.0.0",
            hypervisor_version="7.2.0",
            is_local=True,
            is_session=False,
            driver="QEMU",
        )
        self.capabilities = DomainCapabilities(
            virt_type="qemu",
            machine="pc",
            emulator="/usr/bin/qemu-system-x86_64",
            machines=frozenset({"pc", "pc-i440fx-7.2", "q35"}),
            loader_types=frozenset({"rom", "pflash"}),
            disk_buses=frozenset({"ide", "sata", "scsi", "virtio"}),
            lookup_seconds=0.001,
        )
        self.offered = frozenset({"qemu", "kvm"})
        self.on_start: Callable[[Element], None] | None = None
        """Called with the domain's XML when a guest's CPUs begin to run."""
        self.guest: Guest | None = None
        """What answers run_in_guest and run_together: (domain, argv). None: no agent is up.

        It has no use for what a program reads."""
        self.deaf: set[str] = set()
        """Domains that ignore the power button."""
        self.consoles: dict[str, FakeConsole] = {}
        self._domains: dict[str, FakeDomain] = {}
        self._uuids: set[str] = set()
        self._networks: dict[str, FakeNetwork] = {}
        self._lock = threading.RLock()

    @call
    def host(self) -> HostFacts:
        return self.facts

    @call
    def domain_capabilities(self, virt_type: str, machine: str) -> DomainCapabilities | None:
        if virt_type not in self.offered or machine not in self.capabilities.machines:
            raise refusal("VIR_ERR_INVALID_ARG", f"no {virt_type} guests on machine {machine}")
        return replace(self.capabilities, virt_type=virt_type, machine=machine)

    @call
    def virt_types(self) -> frozenset[str]:
        return self.offered

    @call
    def domains(self) -> tuple[ObservedDomain, ...]:
        return tuple(observed(domain) for domain in self._domains.values())

    @call
    def domain(self, name: str) -> ObservedDomain | None:
        domain = self._domains.get(name)
        return None if domain is None else observed(domain)

    @call
    def define(self, xml: str) -> None:
        root = checked(xml, "domain")
        domain = self._identified(root)
        if domain is None:
            self._domains[root.findtext("name", "")] = FakeDomain(root)
        else:
            domain.config = root

    @call
    def start(self, name: str, *, paused: bool = False) -> None:
        domain = self._known(name)
        if domain.live is None:
            domain.live = ElementTree.fromstring(ElementTree.tostring(domain.current))
            self._run(domain, paused=paused)

    @call
    def resume(self, name: str) -> None:
        domain = self._known(name)
        if domain.live is None:
            raise refusal("VIR_ERR_OPERATION_INVALID", f"domain {name} is not running")
        if domain.state is DomainState.PAUSED:
            self._run(domain, paused=False)

    @call
    def shutdown(self, name: str) -> None:
        self._known(name)
        if name not in self.deaf:
            self._power_off(name)

    @call
    def destroy(self, name: str) -> None:
        if name in self._domains:
            self._power_off(name)

    @call
    def undefine(self, name: str) -> None:
        domain = self._domains.get(name)
        if domain is None:
            return
        root, domain.config = domain.current, None
        if domain.live is None:
            self._forget(name, root)

    @call
    def set_metadata(self, name: str, metadata: LabMetadata) -> None:
        for root in self._known(name).elements:
            container = root.find("metadata")
            if container is None:
                container = ElementTree.SubElement(root, "metadata")
            for old in [e for e in container if e.tag.startswith(f"{{{METADATA_NS}}}")]:
                container.remove(old)
            container.append(ElementTree.fromstring(to_xml(metadata)))

    @call
    def xml(self, name: str) -> str:
        return ElementTree.tostring(self._known(name).current, encoding="unicode")

    @call
    def set_link(self, name: str, mac: str, *, up: bool) -> None:
        for root in self._known(name).elements:
            parse.set_link_state(interface_of(root, name, mac), up=up)

    @call
    def link_is_up(self, name: str, mac: str) -> bool:
        return parse.link_is_up(interface_of(self._known(name).current, name, mac))

    @call
    def networks(self) -> tuple[ObservedNetwork, ...]:
        found = self._networks.values()
        return tuple(parse.observed_network(each.xml, active=each.active) for each in found)

    @call
    def define_network(self, xml: str) -> None:
        name = checked(xml, "network").findtext("name", "")
        known = self._networks.get(name)
        if known is None or not known.active:
            self._networks[name] = FakeNetwork(xml, active=True)

    @call
    def remove_network(self, name: str) -> None:
        self._networks.pop(name, None)

    @call
    def agent_ready(self, name: str) -> bool:
        return self._known(name).state is DomainState.RUNNING and self.guest is not None

    def run_in_guest(self, name: str, argv: tuple[str, ...], *, deadline: float) -> CommandResult:
        with self.faults.around("run_in_guest"):
            return self._agent(name)(name, argv)

    def run_together(
        self, name: str, programs: Sequence[GuestProgram], *, each: float, deadline: float
    ) -> tuple[CommandResult, ...]:
        with self.faults.around("run_together"):
            agent = self._agent(name)
            return tuple(agent(name, program.argv) for program in programs)

    def _agent(self, name: str) -> Guest:
        if self.guest is None or self._known(name).state is not DomainState.RUNNING:
            raise refusal("VIR_ERR_AGENT_UNRESPONSIVE", f"no guest agent in {name}")
        return self.guest

    @call
    def open_console(self, name: str, *, force: bool = False) -> ConsoleStream:
        if self._known(name).live is None:
            raise refusal("VIR_ERR_OPERATION_INVALID", f"domain {name} is not running")
        attached = self.consoles.get(name)
        if attached is not None and not attached.closed:
            if not force:
                raise ConsoleBusy(f"somebody else is attached to the console of {name}")
            attached.close()
        self.consoles[name] = FakeConsole()
        return self.consoles[name]

    @call
    def run_transient(self, xml: str) -> None:
        root = checked(xml, "domain")
        if self._identified(root) is not None:
            raise refusal("VIR_ERR_OPERATION_INVALID", "there is such a domain already")
        domain = self._domains[root.findtext("name", "")] = FakeDomain(None, root)
        self._run(domain, paused=False)

    def close(self) -> None:
        """Nothing is held."""

    def _identified(self, root: Element) -> FakeDomain | None:
        """The domain this XML redefines; libvirt refuses a name or UUID that is another's."""
        name = root.findtext("name", "")
        uuid = root.find("uuid")
        if uuid is None:
            uuid = ElementTree.SubElement(root, "uuid")
            uuid.text = str(uuid5(NAMESPACE_URL, f"{self.uri}{name}"))
            if name in self._domains:
                raise refusal("VIR_ERR_OPERATION_FAILED", f"domain {name} already exists")
        known = self._domains.get(name)
        same_name = known is not None and known.current.findtext("uuid") == uuid.text
        if (name in self._domains or uuid.text in self._uuids) and not same_name:
            raise refusal("VIR_ERR_OPERATION_FAILED", f"domain {name} already exists")
        self._uuids.add(uuid.text or "")
        return known

    def _run(self, domain: FakeDomain, *, paused: bool) -> None:
        domain.state = DomainState.PAUSED if paused else DomainState.RUNNING
        if not paused and self.on_start is not None:
            self.on_start(domain.current)

    def _power_off(self, name: str) -> None:
        domain = self._domains[name]
        root, domain.live, domain.state = domain.current, None, DomainState.SHUT_OFF
        if name in self.consoles:
            self.consoles.pop(name).close()
        if domain.config is None:
            self._forget(name, root)

    def _forget(self, name: str, root: Element) -> None:
        del self._domains[name]
        self._uuids.discard(root.findtext("uuid", ""))


@pytest.fixture
def fake_hypervisor() -> FakeHypervisor:
    """An empty in-memory hypervisor."""
    return FakeHypervisor()


def writes_console_log(*lines: str) -> Callable[[Element], None]:
    """An on_start that makes the guest print `lines` into its console's <log file> at once."""

    def boot(domain: Element) -> None:
        for log in domain.findall("devices/serial/log"):
            with Path(log.get("file", "")).open("a") as file:
                file.writelines(f"{line}\r\n" for line in lines)

    return boot
