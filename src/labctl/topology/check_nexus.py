"""What a Nexus can't do, and what other switches can't that a Nexus can."""

from __future__ import annotations

import re

from labctl.fabric.vlans import BACKUP, l3_vlan
from labctl.topology.check_fabric import networks_of
from labctl.topology.document import Document, Path
from labctl.topology.expand import Draft
from labctl.topology.fields import FIRST_VLAN
from labctl.topology.schema import TopologyFile

_OVERLAY: Path = ("fabric", "overlay")
_VRF_NAMES = ("default", "management")
"""VRFs that every Nexus has."""
_VLAN_NAMES = re.compile(r"l3vni-[0-9]+|vpc-backup", re.IGNORECASE)
"""What labctl calls VLANs of its own; NX-OS refuses a second VLAN of the same name."""


def check_nexus(file: TopologyFile, draft: Draft, document: Document) -> None:
    """Report what the lab's switches can't do, were each of them sound by itself."""
    switches = [node for node in draft.nodes.values() if node.role.is_switch]
    others = sorted({n.platform.name for n in switches if n.platform.device != "nxos"})
    _check_replication(file, others, document)
    if len(others) < len({node.platform.name for node in switches}):
        _check_host_names(draft, document)
        _check_underlay(file, document)
        _check_names(file, document)
        _check_vlans(file, document)


def _check_replication(file: TopologyFile, others: list[str], document: Document) -> None:
    overlay = file.fabric.overlay
    if overlay.replication == "multicast":
        if others:
            message = f"platform {', '.join(others)} can't replicate by multicast"
            document.report((*_OVERLAY, "replication"), message, "use ingress")
        _check_groups(file, document)
    elif not document.lost((*_OVERLAY, "replication")):
        for key in ("rp", "groups"):
            if getattr(overlay, key) is not None:
                message = f"{key} is for multicast, and replication is ingress"
                document.report((*_OVERLAY, key), message, "set replication: multicast", key=True)


def _check_groups(file: TopologyFile, document: Document) -> None:
    """Every VLAN has a group of its own number."""
    groups = file.fabric.overlay.groups
    last = max((net.vlan for _, net in networks_of(file.fabric)), default=0)
    if groups is not None and last >= groups.num_addresses:
        message = f"groups {groups} are too few: there is none for VLAN {last}"
        document.report((*_OVERLAY, "groups"), message, f"a /{32 - last.bit_length()} would do")


def _check_host_names(draft: Draft, document: Document) -> None:
    for node in draft.nodes.values():
        if node.platform.device == "nxos" and len(node.name) == 1:
            message = f"NX-OS refuses a host name of one character, {node.name!r}"
            document.report(node.path, message, "give it a longer name", key=True)


def _check_underlay(file: TopologyFile, document: Document) -> None:
    """NX-OS speaks BGP over link-local addresses from 9.3 on, but VXLAN over it is untold."""
    underlay = file.fabric.underlay
    lost = any(document.lost(("fabric", "underlay", key)) for key in ("routing", "links"))
    if underlay.routing == "ebgp" and underlay.links == "unnumbered" and not lost:
        message = "a Nexus can't do eBGP on unnumbered links"
        document.report(("fabric", "underlay", "links"), message, "use links: numbered")


def _check_names(file: TopologyFile, document: Document) -> None:
    for n, vrf in enumerate(file.fabric.vrfs or ()):
        if vrf.name.lower() in _VRF_NAMES:
            path: Path = ("fabric", "vrfs", n, "name")
            document.report(path, f"VRF {vrf.name!r} is one that every Nexus has")
    for path, network in networks_of(file.fabric):
        if _VLAN_NAMES.fullmatch(network.name):
            message = f"{network.name!r} is what labctl calls a VLAN of its own on a Nexus"
            document.report((*path, "name"), message)


def _check_vlans(file: TopologyFile, document: Document) -> None:
    """The VLANs that labctl gives out itself are free."""
    vrfs = file.fabric.vrfs or ()
    taken = {l3_vlan(n): f"of VRF {vrf.name}'s L3 VNI" for n, vrf in enumerate(vrfs)}
    if file.fabric.vpc:
        taken[BACKUP] = "between the leaves of a vPC pair"
    for path, network in networks_of(file.fabric):
        if network.vlan in taken and not document.is_guess((*path, "vlan")):
            message = f"VLAN {network.vlan} is the one {taken[network.vlan]} on a Nexus"
            document.report((*path, "vlan"), message, "labctl gives those out itself: use another")
    if l3_vlan(len(vrfs) - 1) < FIRST_VLAN:
        most = l3_vlan(0) - FIRST_VLAN + 1
        message = f"{len(vrfs)} VRFs are more than a Nexus has VLANs for: {most}"
        document.report(("fabric", "vrfs"), message, key=True)
