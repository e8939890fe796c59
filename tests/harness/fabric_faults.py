"""What can be wrong with a fabric on paper (harness.simulated)."""

from __future__ import annotations

from dataclasses import dataclass, field

from labctl.model.intent import Intent


@dataclass
class FabricFaults:
    """Faults by what they are; all empty is a healthy fabric. Links and sessions are node pairs."""

    intent: Intent
    not_reflecting: set[str] = field(default_factory=set)
    not_advertising: set[str] = field(default_factory=set)
    shut: set[tuple[str, str]] = field(default_factory=set)
    not_configured: set[tuple[str, str]] = field(default_factory=set)
    down: set[frozenset[str]] = field(default_factory=set)
    links_down: set[frozenset[str]] = field(default_factory=set)
    adrift: set[str] = field(default_factory=set)
    """Without a route to anybody, while its sessions still stand."""
    vnis_down: set[tuple[str, int]] = field(default_factory=set)
    targets: dict[tuple[str, int], str] = field(default_factory=dict)
    imports: dict[tuple[str, int], str] = field(default_factory=dict)
    """Where a VNI imports another target than it exports."""
    l3vnis_down: set[str] = field(default_factory=set)
    router_macs_missing: set[tuple[str, str]] = field(default_factory=set)
    no_type5: set[str] = field(default_factory=set)
    gateways_missing: set[tuple[str, int]] = field(default_factory=set)
    hosts_down: set[str] = field(default_factory=set)
    not_forwarding: set[frozenset[str]] = field(default_factory=set)
    free_memory: dict[str, int] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    unplugged: frozenset[str] | None = None
    """What the hypervisor says; the cable's effect is `links_down` and the like."""
    dead_daemons: dict[str, str] = field(default_factory=dict)
