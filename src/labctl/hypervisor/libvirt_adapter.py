"""The Hypervisor over libvirt, for all threads of a run: each call has a connection to itself.

One adapter serves a whole thread pool. A console stream keeps its connection for its lifetime.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import libvirt

from labctl.hypervisor import domains
from labctl.hypervisor.pool import Connections

if TYPE_CHECKING:  # for annotations alone: `labctl status` must not import them
    from pathlib import Path

    from labctl.hypervisor.api import (
        CommandResult,
        ConsoleStream,
        DomainCapabilities,
        GuestProgram,
        HostFacts,
        ObservedDomain,
        ObservedNetwork,
        ObservedPool,
        ObservedSnapshot,
    )
    from labctl.model.metadata import LabMetadata


class LibvirtHypervisor:
    """A Hypervisor; made by labctl.hypervisor.connect.connect."""

    def __init__(self, uri: str, open_connection: Callable[[], libvirt.virConnect]) -> None:
        """Open a connection; with the same function more for parallel calls and consoles."""
        self.uri = uri
        self._open = open_connection
        self._connections = Connections(open_connection, shared=uri.startswith("test:"))

    # What `labctl status` does without is imported where it is used: status starts fast.

    def host(self) -> HostFacts:
        from labctl.hypervisor import facts

        with self._connections.one() as connection:
            return facts.host_facts(connection, self.uri)

    def domain_capabilities(self, virt_type: str, machine: str) -> DomainCapabilities | None:
        from labctl.hypervisor import facts

        with self._connections.one() as connection:
            return facts.domain_capabilities(connection, virt_type, machine)

    def virt_types(self) -> frozenset[str]:
        from labctl.hypervisor import facts

        with self._connections.one() as connection:
            return facts.virt_types(connection)

    def domains(self) -> tuple[ObservedDomain, ...]:
        with self._connections.one() as connection:
            return domains.list_domains(connection)

    def domain(self, name: str) -> ObservedDomain | None:
        with self._connections.one() as connection:
            return domains.observe(connection, name)

    def define(self, xml: str) -> None:
        with self._connections.one() as connection:
            domains.define(connection, xml)

    def start(self, name: str, *, paused: bool = False) -> None:
        with self._connections.one() as connection:
            domains.start(connection, name, paused=paused)

    def resume(self, name: str) -> None:
        with self._connections.one() as connection:
            domains.resume(connection, name)

    def shutdown(self, name: str) -> None:
        with self._connections.one() as connection:
            domains.shutdown(connection, name)

    def destroy(self, name: str) -> None:
        with self._connections.one() as connection:
            domains.destroy(connection, name)

    def undefine(self, name: str) -> None:
        with self._connections.one() as connection:
            domains.undefine(connection, name)

    def set_metadata(self, name: str, metadata: LabMetadata) -> None:
        with self._connections.one() as connection:
            domains.set_metadata(connection, name, metadata)

    def xml(self, name: str) -> str:
        with self._connections.one() as connection:
            return domains.xml_of(connection, name)

    def set_link(self, name: str, mac: str, *, up: bool) -> None:
        with self._connections.one() as connection:
            domains.set_link(connection, name, mac, up=up)

    def link_is_up(self, name: str, mac: str) -> bool:
        with self._connections.one() as connection:
            return domains.link_is_up(connection, name, mac)

    def networks(self) -> tuple[ObservedNetwork, ...]:
        from labctl.hypervisor import networks

        with self._connections.one() as connection:
            return networks.list_networks(connection)

    def define_network(self, xml: str) -> None:
        from labctl.hypervisor import networks

        with self._connections.one() as connection:
            networks.define_network(connection, xml)

    def remove_network(self, name: str) -> None:
        from labctl.hypervisor import networks

        with self._connections.one() as connection:
            networks.remove_network(connection, name)

    def agent_ready(self, name: str) -> bool:
        from labctl.hypervisor import agent

        with self._connections.one() as connection:
            return agent.agent_ready(connection, name)

    def run_in_guest(self, name: str, argv: tuple[str, ...], *, deadline: float) -> CommandResult:
        from labctl.hypervisor import agent

        with self._connections.one() as connection:
            return agent.run_in_guest(connection, name, argv, deadline=deadline)

    def run_together(
        self, name: str, programs: Sequence[GuestProgram], *, each: float, deadline: float
    ) -> tuple[CommandResult, ...]:
        from labctl.hypervisor import agent

        with self._connections.one() as connection:
            return agent.run_together(connection, name, programs, each=each, deadline=deadline)

    def open_console(self, name: str, *, force: bool = False) -> ConsoleStream:
        from labctl.hypervisor.console import LibvirtConsole

        return LibvirtConsole(self._open(), name, force=force)

    def run_transient(self, xml: str) -> None:
        with self._connections.one() as connection:
            domains.run_transient(connection, xml)

    def suspend(self, name: str) -> None:
        from labctl.hypervisor import memory

        with self._connections.one() as connection:
            memory.suspend(connection, name)

    def save_memory(self, name: str, file: Path) -> None:
        from labctl.hypervisor import memory

        with self._connections.one() as connection:
            memory.save_memory(connection, name, file)

    def restore_memory(self, file: Path, xml: str) -> None:
        from labctl.hypervisor import memory

        with self._connections.one() as connection:
            memory.restore_memory(connection, file, xml)

    def saved_xml(self, file: Path) -> str:
        from labctl.hypervisor import memory

        with self._connections.one() as connection:
            return memory.saved_xml(connection, file)

    def definition(self, name: str) -> str | None:
        from labctl.hypervisor import memory

        with self._connections.one() as connection:
            return memory.definition(connection, name)

    def snapshots(self, name: str) -> tuple[ObservedSnapshot, ...]:
        from labctl.hypervisor import foreign

        with self._connections.one() as connection:
            return foreign.snapshots(connection, name)

    def delete_snapshot(self, name: str, snapshot: str, *, metadata_only: bool) -> None:
        from labctl.hypervisor import foreign

        with self._connections.one() as connection:
            foreign.delete_snapshot(connection, name, snapshot, metadata_only=metadata_only)

    def block_commit(self, name: str, disk: str, base: str, *, deadline: float) -> None:
        from labctl.hypervisor import foreign

        with self._connections.one() as connection:
            foreign.block_commit(connection, name, disk, base, deadline=deadline)

    def pools(self) -> tuple[ObservedPool, ...]:
        from labctl.hypervisor import pools

        with self._connections.one() as connection:
            return pools.list_pools(connection)

    def close(self) -> None:
        """End the connections; a second time, or after the daemon's death, it does nothing."""
        self._connections.close()
