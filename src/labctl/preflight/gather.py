"""Gather the facts preflight judges: a handful of calls, each asked once."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from labctl.errors import HypervisorError
from labctl.hypervisor.api import (
    DomainCapabilities,
    HostFacts,
    Hypervisor,
    ObservedDomain,
    ObservedNetwork,
)
from labctl.images import qemu_img
from labctl.images.store import ImageStore
from labctl.model.intent import Intent
from labctl.model.lab import Endpoint
from labctl.model.paths import Home
from labctl.model.platform import Platform
from labctl.preflight import local
from labctl.preflight.canary import KvmVerdict, prove_kvm
from labctl.preflight.facts import Facts, MachineFact
from labctl.preflight.fitness import SLOW_LOOKUP, choose_virt_type
from labctl.preflight.golden import images_of, kept_disks, with_owners


def gather(
    hypervisor: Hypervisor,
    home: Home,
    *,
    intent: Intent,
    platforms: Mapping[str, Platform],
    store: ImageStore,
    ports: Mapping[Endpoint, int],
    host: HostFacts,
    domains: tuple[ObservedDomain, ...],
    networks: tuple[ObservedNetwork, ...],
    anew: Collection[str] = (),
) -> Facts:
    """All that `labctl.preflight.checks.check` needs. Runs the KVM canary when it must.

    `anew` are nodes that are to get a new disk. What can't be known stays None. Raises
    HypervisorError when the connection is lost.
    """
    facts = Facts(
        intent=intent,
        platforms=platforms,
        home=home,
        host=host,
        domains=domains,
        networks=networks,
        ports=ports,
        virt_types=hypervisor.virt_types(),
        kvm=_ask_canary(hypervisor, home, intent, host),
        images=images_of(intent, store, home),
        made=_made(intent, home),
        disks=kept_disks(intent, store, home, domains, anew),
    )
    if host.driver != "QEMU":
        return facts
    facts = _with_machines(hypervisor, facts)
    return _with_local_facts(facts, store) if host.is_local else facts


def _ask_canary(
    hypervisor: Hypervisor, home: Home, intent: Intent, host: HostFacts
) -> KvmVerdict | None:
    if host.driver != "QEMU" or intent.lab.requirements.kvm is False:
        return None
    return prove_kvm(hypervisor, home, host)


def _made(intent: Intent, home: Home) -> frozenset[str]:
    paths = home.lab(intent.lab.name)
    return frozenset(name for name in intent.nodes if paths.node(name).overlay.exists())


def _with_machines(hypervisor: Hypervisor, facts: Facts) -> Facts:
    """What QEMU offers for each machine type in use, and how long libvirt takes to tell."""
    virt_type, _ = choose_virt_type(facts)
    used = {node.node.platform for node in facts.intent.nodes.values()}
    types = sorted({facts.platforms[name].machine for name in used})
    machines = {machine: _machine(hypervisor, virt_type, machine) for machine in types}
    first = next((m.capabilities for m in machines.values() if m.capabilities is not None), None)
    lookups: tuple[float, ...] = ()
    if first is not None:
        lookups = (first.lookup_seconds,)
        if first.lookup_seconds > SLOW_LOOKUP:
            again = _machine(hypervisor, virt_type, first.machine).capabilities
            lookups += (again.lookup_seconds,) if again is not None else ()
    return replace(facts, machines=machines, lookups=lookups)


def _machine(hypervisor: Hypervisor, virt_type: str, machine: str) -> MachineFact:
    try:
        return MachineFact(hypervisor.domain_capabilities(virt_type, machine))
    except HypervisorError as error:
        return MachineFact(None, error.brief)


def _with_local_facts(facts: Facts, store: ImageStore) -> Facts:
    """What only this machine itself can tell; nothing of it holds for a remote host."""
    capabilities = _any_capabilities(facts)
    emulator = capabilities.emulator if capabilities is not None else ""
    missing = emulator if emulator and not Path(emulator).exists() else ""
    owner = None
    if capabilities is not None and not facts.host.is_session:
        owner = capabilities.owner
    return replace(
        facts,
        emulator_missing=missing,
        qemu_img_missing=shutil.which(qemu_img.PROGRAM) is None,
        firmware=local.firmware(_used(facts)),
        devices=local.device_models(emulator) if emulator and not missing else None,
        images=with_owners(facts.images, store, owner),
        storage=local.storage((facts.home.labs, facts.home.images), owner),
        routes=local.routes() if facts.intent.management_subnet is not None else None,
        udp_in_use=local.udp_ports() if facts.ports else None,
    )


def _used(facts: Facts) -> list[Platform]:
    names = dict.fromkeys(node.node.platform for node in facts.intent.nodes.values())
    return [facts.platforms[name] for name in names]


def _any_capabilities(facts: Facts) -> DomainCapabilities | None:
    found = (machine.capabilities for machine in facts.machines.values())
    return next((capabilities for capabilities in found if capabilities is not None), None)
