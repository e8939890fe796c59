"""Where nodes may run: this labctl places a lab on one hypervisor, the connection's."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.model.finding import Finding, Severity
from labctl.preflight.facts import Facts


def check_placement(facts: Facts) -> Iterator[Finding]:
    """Refuse nodes that the file wants on another hypervisor, rather than misplace them."""
    here = facts.host.uri
    elsewhere = [
        node.node
        for node in facts.intent.nodes.values()
        if node.node.hypervisor not in (None, here)
    ]
    if not elsewhere:
        return
    wanted = ", ".join(sorted({str(node.hypervisor) for node in elsewhere}))
    yield Finding(
        "placement",
        Severity.REFUSE,
        f"{len(elsewhere)} node(s) shall run on {wanted}, but the connection is {here}: "
        "a lab's nodes all run on one hypervisor so far",
        f"take `hypervisor` out of the file, or connect there: labctl --connect {wanted}",
        tuple(node.name for node in elsewhere),
        {"connection": here, "wanted": sorted({str(node.hypervisor) for node in elsewhere})},
    )
