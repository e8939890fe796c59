"""Pull and plug a cable: the link state of one end's NIC."""

from __future__ import annotations

import difflib

from labctl.errors import UsageError
from labctl.hypervisor.api import ObservedDomain
from labctl.ops.context import Context
from labctl.ops.lock import lab_lock
from labctl.ops.recover import recover
from labctl.ops.results import LinkResult
from labctl.ops.target import check_nodes, existing


def set_link(ctx: Context, ref: str, end: str, *, up: bool) -> LinkResult:
    """Set the link of `end` (NODE:INTERFACE) up or down; the guest sees its carrier change.

    Raises UsageError for an end that isn't wired.
    """
    node, colon, interface = end.partition(":")
    if not colon or not node or not interface:
        raise UsageError(
            f"{end!r} is no end of a link", resolution="write it as NODE:INTERFACE: leaf-1:eth1"
        )
    with existing(ctx, ref) as target:
        check_nodes(target.lab, [node], target.domains)
        domain = target.domains[node]
        mac = _mac(domain, node, interface)
        with lab_lock(ctx.home, target.lab, f"link {ref} {end}"):
            recover(ctx, ctx.home.lab(target.lab), target.hypervisor)
            was_up = target.hypervisor.link_is_up(domain.name, mac)
            if was_up is not up:
                target.hypervisor.set_link(domain.name, mac, up=up)
    return LinkResult(target.lab, end, was_up, up)


def _mac(domain: ObservedDomain, node: str, interface: str) -> str:
    """The NIC's MAC: the one UDP end that binds the port the mark records for the interface."""
    ports = domain.metadata.ports if domain.metadata else {}
    local = ports.get(interface, (0, 0))[0]
    for nic in domain.udp:
        if nic.local[1] == local:
            return nic.mac
    close = difflib.get_close_matches(interface, ports, n=1)
    raise UsageError(
        f"{node} has no wired interface {interface!r}",
        details="wired: " + (", ".join(ports) or "none"),
        resolution=f"did you mean {close[0]}?" if close else "",
    )
