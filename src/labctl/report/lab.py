"""What a topology file describes, in short."""

from __future__ import annotations

from collections import Counter
from typing import Any

from labctl.model.lab import Lab, Role
from labctl.report.json import to_data
from labctl.report.paint import Paint, count

_PLURALS = {Role.LEAF: ("leaf", "leaves")}


def lab_data(lab: Lab) -> dict[str, Any]:
    """The lab for JSON: all but the file's own text."""
    data: dict[str, Any] = to_data(lab)
    del data["text"]
    return data


def lab_lines(lab: Lab, paint: Paint) -> list[str]:
    """That the file is right, and what is in it."""
    vrfs = lab.fabric.vrfs
    networks = sum(len(vrf.networks) for vrf in vrfs)
    underlay = f"{lab.fabric.routing.value} {lab.fabric.links.value}"
    return [
        f"{lab.source}: {paint('good', 'valid')}",
        f"  lab {lab.name}: {roles(lab)}; {count(len(lab.links), 'link')}",
        f"  underlay {underlay}, {count(len(vrfs), 'VRF')}, {count(networks, 'network')}",
    ]


def roles(lab: Lab) -> str:
    """`2 spines, 2 leaves, 2 hosts`."""
    counts = Counter(node.role for node in lab.nodes)
    return ", ".join(_counted(counts[role], role) for role in Role if counts[role])


def _counted(number: int, role: Role) -> str:
    one, many = _PLURALS.get(role, (role.value, f"{role.value}s"))
    return f"{number} {one if number == 1 else many}"
