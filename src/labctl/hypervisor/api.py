"""What labctl asks of a hypervisor, and nothing more: the narrow port every adapter fills.

Filled by `labctl.hypervisor.libvirt_adapter` (the only module importing libvirt, with its
neighbours) and by tests' fake; tests/contract holds both to the same suite. Memory in MiB,
times in seconds. Every method raises HypervisorError where libvirt refuses, with the call,
libvirt's code and words, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from labctl.hypervisor.observed import DomainState as DomainState
from labctl.hypervisor.observed import ObservedDomain as ObservedDomain
from labctl.hypervisor.observed import ObservedNetwork as ObservedNetwork
from labctl.hypervisor.observed import ObservedPool as ObservedPool
from labctl.hypervisor.observed import ObservedSnapshot as ObservedSnapshot
from labctl.hypervisor.observed import UdpEnd as UdpEnd
from labctl.model.metadata import METADATA_NS as METADATA_NS
from labctl.model.metadata import LabMetadata as LabMetadata


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the host has. None where the driver can't say (the test driver knows no memory)."""

    uri: str
    hostname: str
    cpus: int
    memory_total: int | None
    memory_free: int | None
    """Free plus buffers plus cached, from getMemoryStats (facts: never getInfo)."""
    libvirt_version: str
    hypervisor_version: str
    is_local: bool
    is_session: bool
    driver: str
    """QEMU or TEST, as libvirt's getType says."""


@dataclass(frozen=True, slots=True)
class DomainCapabilities:
    """What the host's QEMU offers for one (virt type, machine); from getDomainCapabilities."""

    virt_type: str
    machine: str
    emulator: str
    machines: frozenset[str]
    loader_types: frozenset[str]
    disk_buses: frozenset[str]
    lookup_seconds: float
    owner: tuple[int, int] | None = None
    """The user and group id QEMU runs as; None where libvirt doesn't change it."""


@dataclass(frozen=True, slots=True)
class GuestProgram:
    """A process to start in a guest, without a shell, and what it reads from its standard input."""

    argv: tuple[str, ...]
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command run in a guest through its agent."""

    returncode: int
    stdout: str
    stderr: str


class ConsoleStream(Protocol):
    """A serial console on a connection of its own (two streams on one connection deadlock)."""

    def read(self, timeout: float) -> bytes:
        """What came within `timeout` seconds, b"" if nothing; EOFError when it was closed."""
        ...

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Hypervisor(Protocol):
    """One libvirt connection URI a lab may place nodes on."""

    uri: str

    def host(self) -> HostFacts: ...
    def domain_capabilities(self, virt_type: str, machine: str) -> DomainCapabilities | None: ...
    def virt_types(self) -> frozenset[str]:
        """Of `kvm`, `qemu`, `test`: what the host offers; kvm offered is not kvm proved."""
        ...

    def domains(self) -> tuple[ObservedDomain, ...]: ...
    def domain(self, name: str) -> ObservedDomain | None: ...
    def define(self, xml: str) -> None:
        """Define or redefine a persistent domain; the XML is validated against libvirt's schema."""
        ...

    def start(self, name: str, *, paused: bool = False) -> None: ...
    def resume(self, name: str) -> None: ...
    def shutdown(self, name: str) -> None:
        """Press the power button (ACPI); returns at once."""
        ...

    def destroy(self, name: str) -> None:
        """Force off. A domain that is off already, or gone, is no error."""
        ...

    def undefine(self, name: str) -> None:
        """Remove the definition with snapshots' metadata, NVRAM and managed save; gone is fine."""
        ...

    def set_metadata(self, name: str, metadata: LabMetadata) -> None:
        """Refresh labctl's mark without touching the guest."""
        ...

    def xml(self, name: str) -> str: ...
    def set_link(self, name: str, mac: str, *, up: bool) -> None: ...
    def link_is_up(self, name: str, mac: str) -> bool: ...
    def networks(self) -> tuple[ObservedNetwork, ...]: ...
    def define_network(self, xml: str) -> None:
        """Define (or redefine) and start a network."""
        ...

    def remove_network(self, name: str) -> None: ...
    def agent_ready(self, name: str) -> bool: ...
    def run_in_guest(
        self, name: str, argv: tuple[str, ...], *, deadline: float
    ) -> CommandResult: ...
    def run_together(
        self, name: str, programs: Sequence[GuestProgram], *, each: float, deadline: float
    ) -> tuple[CommandResult, ...]:
        """Run programs in a guest side by side; their results, in order.

        One that takes longer than `each` seconds is killed: returncode -9, with what it had
        printed. One that the guest can't start: returncode 127.
        """
        ...

    def open_console(self, name: str, *, force: bool = False) -> ConsoleStream: ...
    def run_transient(self, xml: str) -> None:
        """Create a transient domain (the KVM canary); destroy() ends it."""
        ...

    def suspend(self, name: str) -> None:
        """Halt the CPUs of a running domain; one that is halted already is left as it is."""
        ...

    def save_memory(self, name: str, file: Path) -> None:
        """Write a paused domain's memory to `file`, its disks' caches to the disks; it stays so."""
        ...

    def restore_memory(self, file: Path, xml: str) -> None:
        """Start the domain of `xml`, which is off, from saved memory; it stays paused.

        Other host files and ports than were saved are fine; what a guest could notice is refused.
        """
        ...

    def saved_xml(self, file: Path) -> str: ...
    def definition(self, name: str) -> str | None:
        """The XML of the next start; None where there is no such definition."""
        ...

    def snapshots(self, name: str) -> tuple[ObservedSnapshot, ...]:
        """What libvirt lists of a domain, oldest first: none of it is labctl's."""
        ...

    def delete_snapshot(self, name: str, snapshot: str, *, metadata_only: bool) -> None: ...
    def block_commit(self, name: str, disk: str, base: str, *, deadline: float) -> None:
        """Merge all layers above the file `base` into it while the domain runs, and pivot to it.

        `disk` is the target's name. What could not be merged in time stays as it was.
        """
        ...

    def pools(self) -> tuple[ObservedPool, ...]: ...
    def close(self) -> None: ...
