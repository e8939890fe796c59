"""A device family as data: read from lab/platforms/*.yaml by `labctl.topology.platforms`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InterfaceNames:
    """How the device names its NICs.

    `management` is NIC 0 ("" where the device has none); data NIC n (n >= 1) is
    `data_prefix` + str(n), up to `maximum` data NICs.
    """

    management: str
    data_prefix: str
    maximum: int

    def number(self, name: str) -> int | None:
        """The NIC number of a data interface name, or None when it is no such name."""
        digits = name.removeprefix(self.data_prefix)
        if digits == name or not digits.isascii() or not digits.isdigit() or digits[0] == "0":
            return None
        return int(digits) if int(digits) <= self.maximum else None

    def name(self, number: int) -> str:
        return f"{self.data_prefix}{number}"


@dataclass(frozen=True, slots=True)
class PhaseRule:
    """One boot phase: entered when `pattern` (a bytes regex on a console line) is seen.

    `deadline` is seconds allowed from entering this phase to entering the next.
    """

    name: str
    pattern: str
    deadline: float


@dataclass(frozen=True, slots=True)
class FaultRule:
    """A console line that names a fault."""

    name: str
    pattern: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything labctl knows about a device family that is not code. Memory in MiB."""

    name: str
    description: str
    device: str
    """The package under labctl.devices that speaks to it: frr or linux."""
    default_image: str
    memory: int
    memory_floor: int
    memory_floor_source: str
    vcpus: int
    roles: tuple[str, ...]
    interfaces: InterfaceNames
    domain_template: str
    machine: str
    disk_bus: str
    nic_model: str
    cdrom_bus: str
    phases: tuple[PhaseRule, ...]
    """Boot phases in order; the last one's pattern means ready (its deadline is unused)."""
    start_deadline: float
    """Seconds from power-on to the first phase."""
    faults: tuple[FaultRule, ...]
    console_login: str
    """What to tell a newcomer about logging in on the console."""
    stop_deadline: float
    """Seconds an ACPI shutdown may take before labctl forces the machine off."""
