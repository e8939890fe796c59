"""Every check on every fact, all findings at once. Pure."""

from __future__ import annotations

from labctl.model.finding import PreflightReport
from labctl.preflight.collisions import (
    check_domains,
    check_macs,
    check_management,
    check_ports,
)
from labctl.preflight.disks import check_disks, check_images
from labctl.preflight.facts import Facts
from labctl.preflight.fitness import (
    check_emulator,
    check_firmware,
    check_lookups,
    check_machines,
    check_storage,
    check_tools,
    choose_virt_type,
)
from labctl.preflight.floors import check_floors
from labctl.preflight.placement import check_placement
from labctl.preflight.sizing import check_disk, check_memory, check_vcpus


def check(facts: Facts) -> PreflightReport:
    """What speaks against bringing the lab up, and what was looked at and found good."""
    virt_type, kvm = choose_virt_type(facts)
    findings = (
        kvm,
        *check_lookups(facts),
        *check_machines(facts),
        *check_emulator(facts),
        *check_firmware(facts),
        *check_tools(facts),
        *check_floors(facts),
        *check_memory(facts, virt_type),
        *check_vcpus(facts),
        *check_storage(facts),
        *check_disk(facts),
        *check_images(facts),
        *check_disks(facts),
        *check_placement(facts),
        *check_domains(facts),
        *check_macs(facts),
        *check_ports(facts),
        *check_management(facts),
    )
    return PreflightReport(facts.lab_name, facts.host.uri, virt_type, findings)
