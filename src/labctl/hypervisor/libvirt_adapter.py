"""The Hypervisor over libvirt: one connection, shared by all threads of a run.

libvirt connections are thread-safe and run calls of several threads at once, so one adapter
serves a whole thread pool. Console streams are the exception and get connections of their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import libvirt

from labctl.hypervisor import domains

if TYPE_CHECKING:  # for annotations alone: `labctl status` must not import them
    from labctl.hypervisor.api import (
        CommandResult,
        ConsoleStream,
        DomainCapabilities,
        HostFacts,
        ObservedDomain,
        ObservedNetwork,
    )
    from labctl.model.metadata import LabMetadata


class LibvirtHypervisor:
    """A Hypervisor; made by labctl.hypervisor.connect.connect."""

    def __init__(self, uri: str, open_connection: Callable[[], libvirt.virConnect]) -> None:
        """Open the connection, and with the same function one more for each console."""
        self.uri = uri
        self._open = open_connection
        self._connection = open_connection()

    # What `labctl status` does without is imported where it is used: status starts fast.

    def host(self) -> HostFacts:
        from labctl.hypervisor import facts

        return facts.host_facts(self._connection, self.uri)

    def domain_capabilities(self, virt_type: str, machine: str) -> DomainCapabilities | None:
        from labctl.hypervisor import facts

        return facts.domain_capabilities(self._connection, virt_type, machine)

    def virt_types(self) -> frozenset[str]:
        from labctl.hypervisor import facts

        return facts.virt_types(self._connection)

    def domains(self) -> tuple[ObservedDomain, ...]:
        return domains.list_domains(self._connection)

    def domain(self, name: str) -> ObservedDomain | None:
        return domains.observe(self._connection, name)

    def define(self, xml: str) -> None:
        domains.define(self._connection, xml)

    def start(self, name: str, *, paused: bool = False) -> None:
        domains.start(self._connection, name, paused=paused)

    def resume(self, name: str) -> None:
        domains.resume(self._connection, name)

    def shutdown(self, name: str) -> None:
        domains.shutdown(self._connection, name)

    def destroy(self, name: str) -> None:
        domains.destroy(self._connection, name)

    def undefine(self, name: str) -> None:
        domains.undefine(self._connection, name)

    def set_metadata(self, name: str, metadata: LabMetadata) -> None:
        domains.set_metadata(self._connection, name, metadata)

    def xml(self, name: str) -> str:
        return domains.xml_of(self._connection, name)

    def set_link(self, name: str, mac: str, *, up: bool) -> None:
        domains.set_link(self._connection, name, mac, up=up)

    def link_is_up(self, name: str, mac: str) -> bool:
        return domains.link_is_up(self._connection, name, mac)

    def networks(self) -> tuple[ObservedNetwork, ...]:
        from labctl.hypervisor import networks

        return networks.list_networks(self._connection)

    def define_network(self, xml: str) -> None:
        from labctl.hypervisor import networks

        networks.define_network(self._connection, xml)

    def remove_network(self, name: str) -> None:
        from labctl.hypervisor import networks

        networks.remove_network(self._connection, name)

    def agent_ready(self, name: str) -> bool:
        from labctl.hypervisor import agent

        return agent.agent_ready(self._connection, name)

    def run_in_guest(
        self, name: str, argv: tuple[str, ...], *, deadline: float, input_text: str = ""
    ) -> CommandResult:
        from labctl.hypervisor import agent

        return agent.run_in_guest(
            self._connection, name, argv, deadline=deadline, input_text=input_text
        )

    def open_console(self, name: str, *, force: bool = False) -> ConsoleStream:
        from labctl.hypervisor.console import LibvirtConsole

        return LibvirtConsole(self._open(), name, force=force)

    def run_transient(self, xml: str) -> None:
        domains.run_transient(self._connection, xml)

    def close(self) -> None:
        """End the connection; a second time, or after the daemon's death, it does nothing."""
        with contextlib.suppress(libvirt.libvirtError):
            self._connection.close()
